"""How keys and tokens of well-known services look."""

import re
from typing import Final

KEYS: Final = tuple(
    (needle, re.compile(rf"(?<![A-Za-z0-9]){pattern}"))
    for needle, pattern in (
        ("whsec_", r"whsec_[A-Za-z0-9+/=]{10,}+"),  # Stripe's webhooks
        ("gh", r"gh[opusr]_[A-Za-z0-9]{12,}+"),
        ("github_pat_", r"github_pat_[A-Za-z0-9_]{8,}+"),
        ("gl", r"gl(?:pat|dt|rt|cbt|ptt|ft|soat|oas|imt|agent|ffct)-[A-Za-z0-9_\-.]{12,}+"),
        ("A", r"A(?:KIA|SIA|BIA|CCA|ROA|IDA)[A-Z0-9]{12,32}(?![A-Za-z0-9])"),  # AWS
        ("AIza", r"AIza[A-Za-z0-9_\-]{12,}+"),  # Google
        ("ya29.", r"ya29\.[A-Za-z0-9_\-]{12,}+"),
        ("GOCSPX-", r"GOCSPX-[A-Za-z0-9_\-]{10,}+"),
        ("4/0A", r"4/0A[A-Za-z0-9_\-]{16,}+"),
        ("1//0", r"1//0[A-Za-z0-9_\-]{20,}+"),
        ("xox", r"xox[a-z]-[A-Za-z0-9\-]{11,}+"),  # Slack
        ("xapp-", r"xapp-[A-Za-z0-9\-]{11,}+"),
        ("sb_secret_", r"sb_secret_[A-Za-z0-9_\-]{6,}+"),  # Supabase
        ("sbp_", r"sbp_[A-Za-z0-9_]{16,}+"),
        ("tok_", r"tok_[A-Za-z0-9]{14,}+"),  # Stripe
        ("npm_", r"npm_[A-Za-z0-9]{20,}+"),
        ("pypi-", r"pypi-[A-Za-z0-9_\-]{20,}+"),
        ("hf_", r"hf_[A-Za-z0-9]{20,}+"),
        ("SG.", r"SG\.[A-Za-z0-9_\-]{12,64}\.[A-Za-z0-9_\-]{12,}+"),  # SendGrid
        ("key-", r"key-[0-9a-z]{32}"),  # Mailgun
        ("SK", r"SK[0-9a-f]{32}"),  # Twilio
        ("shp", r"shp(?:at|ca|pa|ss)_[A-Za-z0-9]{16,}+"),  # Shopify
        ("_v1_", r"do[opr]_v1_[A-Za-z0-9]{16,}+"),  # DigitalOcean
        ("rnd_", r"rnd_[A-Za-z0-9]{16,}+"),  # Render
        ("lin_", r"lin_(?:api|oauth|wh)_[A-Za-z0-9]{16,}+"),
        ("secret_", r"secret_[A-Za-z0-9]{24,}+"),  # Notion
        ("ntn_", r"ntn_[A-Za-z0-9]{24,}+"),
        ("re_", r"re_[A-Za-z0-9]{8}_[A-Za-z0-9]{16,}+"),  # Resend
        ("cnon:", r"cnon:[A-Za-z0-9_\-]{16,}+"),  # Square's cards, once
        ("sq0", r"sq0[a-z]{3}-[A-Za-z0-9_\-]{16,}+"),  # Square
        ("hvs.", r"hvs\.[A-Za-z0-9_\-]{16,}+"),  # Vault
        ("dapi", r"dapi[0-9a-f]{32}"),  # Databricks
        ("EAA", r"EAA[A-Za-z0-9_\-]{30,}+"),  # Facebook, Square
        ("AGE-SECRET-KEY-", r"AGE-SECRET-KEY-[A-Z0-9]{16,}+"),
        (":AA", r"(?:bot)?[0-9]{6,10}:AA[A-Za-z0-9_\-]{30,}+"),  # Telegram
        ("r8_", r"r8_[A-Za-z0-9]{30,}+"),  # Replicate
        ("gsk_", r"gsk_[A-Za-z0-9]{30,}+"),  # Groq
        ("xai-", r"xai-[A-Za-z0-9]{40,}+"),
        ("pplx-", r"pplx-[A-Za-z0-9]{30,}+"),  # Perplexity
        ("AQ.", r"AQ\.A[A-Za-z0-9_\-]{30,}+"),  # Gemini
        ("fig", r"fig[dour]_[A-Za-z0-9_\-]{20,}+"),  # Figma
        ("NRAK-", r"NRAK-[A-Z0-9]{20,}+"),  # New Relic
        ("ph", r"ph[cxs]_[A-Za-z0-9]{20,}+"),  # PostHog
        ("tskey-", r"tskey-[a-z]{2,12}-[A-Za-z0-9\-]{16,}+"),  # Tailscale
        ("dckr_", r"dckr_[a-z]{2,6}_[A-Za-z0-9_\-]{20,}+"),  # Docker Hub
        ("sntry", r"sntry[su]_[A-Za-z0-9+/=_\-]{20,}+"),  # Sentry
        ("ATATT3", r"ATATT3[A-Za-z0-9_\-=]{30,}+"),  # Atlassian
        ("ATBB", r"ATBB[A-Za-z0-9]{24,}+"),
        ("dp.", r"dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9_.\-]{30,}+"),  # Doppler
        ("pul-", r"pul-[0-9a-f]{40}"),  # Pulumi
        ("PMAK-", r"PMAK-[0-9a-f]{24}-[0-9a-f]{20,}+"),  # Postman
        ("gl", r"gl(?:sa|c)_[A-Za-z0-9_=+/]{20,}+"),  # Grafana
        ("xkeysib-", r"xkeysib-[A-Za-z0-9\-]{30,}+"),  # Brevo
        ("rubygems_", r"rubygems_[0-9a-f]{30,}+"),
        ("pscale_", r"pscale_[a-z]{2,6}_[A-Za-z0-9_.\-]{20,}+"),  # PlanetScale
        ("napi_", r"napi_[A-Za-z0-9]{30,}+"),  # Neon
        ("HRKU-", r"HRKU-[A-Za-z0-9_\-]{30,}+"),  # Heroku
        ("CCIP", r"CCIP(?:AT|RJ)_[A-Za-z0-9_]{20,}+"),  # CircleCI
        ("atlasv1.", r"[A-Za-z0-9]{10,20}\.atlasv1\.[A-Za-z0-9_\-]{30,}+"),  # Terraform
        ("hvb.", r"hvb\.[A-Za-z0-9_\-]{16,}+"),  # Vault
        ("vercel_", r"vercel_[a-z]{2,8}_[A-Za-z0-9_]{20,}+"),
        ("fm2_", r"fm2_[A-Za-z0-9+/=_\-]{30,}+"),  # Fly.io
        ("fc-", r"fc-[0-9a-f]{32}"),  # Firecrawl
        ("lsv2_", r"lsv2_[a-z]{2}_[0-9a-f]{32}(?:_[0-9a-f]{1,64})?"),  # LangSmith
        ("tvly-", r"tvly-[A-Za-z0-9\-]{20,}+"),  # Tavily
        ("pk_", r"pk_[0-9]{5,12}_[A-Za-z0-9]{24,}+"),  # ClickUp
        ("bk", r"bk(?:ua|at|ct)_[A-Za-z0-9]{30,}+"),  # Buildkite
        ("pat", r"pat[A-Za-z0-9]{14}\.[0-9a-f]{32,}+"),  # Airtable
        ("2/", r"2/[0-9]{10,20}/[0-9]{10,20}:[0-9a-f]{32}"),  # Asana
        ("dt0", r"dt0[a-z][0-9]{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}"),  # Dynatrace
        ("v1.0-", r"v1\.0-[0-9a-f]{24}-?[0-9a-f]{40,}+"),  # Cloudflare's origins
        ("cf", r"cf(?:ut|at|k)_[A-Za-z0-9]{30,}+"),
        ("nf", r"nf[a-z]_[A-Za-z0-9]{32,}+"),  # Netlify
        ("sq", r"sq[apu]_[0-9a-f]{40}"),  # SonarQube
        ("AKCp", r"AKCp[A-Za-z0-9]{50,}+"),  # Artifactory
        ("snyk_", r"snyk_[a-z]{3}\.[A-Za-z0-9]{8,32}\.[A-Za-z0-9_.\-]{16,}+"),
        (
            "pa-",
            r"pa-(?=[a-z0-9_\-]{0,24}[A-Z])(?=[A-Za-z_\-]{0,24}[0-9])[A-Za-z0-9_\-]{40,}+",
        ),  # Voyage
        ("fw_", r"fw_[A-Za-z0-9]{20,}+"),  # Fireworks
        ("nvapi-", r"nvapi-[A-Za-z0-9_\-]{30,}+"),
        ("pat-", r"pat-[a-z]{2}[0-9]-[0-9a-f]{8}-[0-9a-f\-]{20,}+"),  # HubSpot
        ("shippo_", r"shippo_(?:live|test)_[0-9a-f]{30,}+"),
        ("ATCTT3", r"ATCTT3[A-Za-z0-9_\-=]{30,}+"),  # Bitbucket
        ("Q~", r"[A-Za-z0-9_~.\-]{3}[0-9]Q~[A-Za-z0-9_~.\-]{30,}+"),  # Entra
        ("JQQJ99", r"[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{20,}+"),  # Azure
        ("ABSK", r"ABSK[A-Za-z0-9+/]{60,}+=*+"),  # Bedrock
        ("CFPAT-", r"CFPAT-[A-Za-z0-9_\-]{30,}+"),  # Contentful
        ("pn", r"pn[ub]_[A-Za-z0-9]{36}"),  # Prefect
        ("a", r"a[ks]-[A-Za-z0-9]{22}(?![A-Za-z0-9])"),  # Modal
        (":fx", r"[0-9a-f]{8}-[0-9a-f\-]{27}:fx(?![A-Za-z0-9])"),  # DeepL
        ("e2b_", r"e2b_[0-9a-f]{40}"),
        ("wandb_", r"wandb_v1_[A-Za-z0-9_]{30,}+"),
        ("tgp_", r"tgp_v1_[A-Za-z0-9_\-]{30,}+"),  # Together
        ("jina_", r"jina_[A-Za-z0-9_\-]{30,}+"),
        ("pcsk_", r"pcsk_[A-Za-z0-9]{4,8}_[A-Za-z0-9]{30,}+"),  # Pinecone
        ("csk-", r"csk-[a-z0-9]{30,}+"),  # Cerebras
        ("signkey-", r"signkey-[a-z]{4,10}-[0-9a-f]{30,}+"),  # Inngest
        ("vc", r"vc[acikpr]_[A-Za-z0-9]{24,}+"),  # Vercel
        ("dd", r"dd[opw]_[A-Za-z0-9]{36}"),  # Deno
        ("mdb_", r"mdb_sa_sk_[A-Za-z0-9_\-]{30,}+"),  # MongoDB Atlas
        ("dbt", r"dbt[cu]_[A-Za-z0-9+/=_\-]{30,}+"),
        ("tfp_", r"tfp_[A-Za-z0-9_.=\-]{40,}+"),  # Typeform
        ("sl.", r"sl\.(?:u\.)?[A-Za-z0-9_\-]{60,}+"),  # Dropbox
        ("access-", r"access-(?:sandbox|development|production)-[0-9a-f\-]{36}"),  # Plaid
        ("APP_USR-", r"APP_USR-[0-9]{10,20}-[0-9]{6}-[0-9a-f]{32}[0-9\-_A-Z]*+"),  # Mercado Pago
        ("LTAI", r"LTAI[A-Za-z0-9]{16,24}(?![A-Za-z0-9])"),  # Alibaba
        ("AKID", r"AKID[A-Za-z0-9]{32}"),  # Tencent
        ("AQVN", r"AQVN[A-Za-z0-9_\-]{30,}+"),  # Yandex
        ("A3-", r"A3-[A-Z0-9]{6}-[A-Z0-9]{6,11}(?:-[A-Z0-9]{5}){3,4}"),  # 1Password
        ("0.", r"0\.[0-9a-f]{8}-[0-9a-f\-]{27}\.[A-Za-z0-9]{30}:[A-Za-z0-9+/=]{20,}+"),  # Bitwarden
        ("p8e-", r"p8e-[A-Za-z0-9]{30,}+"),  # Adobe
        ("cmVmd", r"cmVmd[A-Za-z0-9]{57,}+"),  # Artifactory
        (
            ".acc",
            r"[a-z]{2,8}_[a-z0-9]{5,30}\.[a-z0-9]{4,6}\.acc[_\-][a-z0-9\-]{10,32}\.[^\s\"']{30,120}",
        ),
        ("4b1d", r"4b1d[A-Za-z0-9]{38}(?![A-Za-z0-9])"),  # ClickHouse
        ("CLOJARS_", r"CLOJARS_[A-Za-z0-9]{40,}+"),
        ("dnkey-", r"dnkey-[A-Za-z0-9=_\-]{50,}+"),  # Defined Networking
        ("duffel_", r"duffel_(?:live|test)_[A-Za-z0-9=_\-]{30,}+"),
        ("EZ", r"EZ[AT]K[A-Za-z0-9]{50,}+"),  # EasyPost
        ("FLW", r"FLWSECK(?:_TEST)?-[A-Za-z0-9]{12,}+(?:-X)?"),  # Flutterwave
        ("fo1_", r"fo1_[A-Za-z0-9_\-]{40,}+"),  # Fly.io
        ("fm1", r"fm1[ar]_[A-Za-z0-9+/=]{60,}+"),
        ("fio-u-", r"fio-u-[A-Za-z0-9=_\-]{40,}+"),  # Frame.io
        ("_mmk", r"[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk(?![A-Za-z0-9])"),  # MaxMind
        ("-us", r"[0-9a-f]{32}-us[0-9]{1,2}(?![A-Za-z0-9])"),  # Mailchimp
        ("NR", r"NR(?:JS-[0-9a-f]{19,}+|II-[A-Za-z0-9_\-]{30,}+)"),  # New Relic
        ("API-", r"API-[A-Z0-9]{26}(?![A-Za-z0-9])"),  # Octopus
        ("sha256~", r"sha256~[A-Za-z0-9_\-]{40,}+"),  # OpenShift
        ("rdme_", r"rdme_[a-z0-9]{60,}+"),  # ReadMe
        ("tk-", r"tk-[a-z]{2}-(?=[a-z0-9_\-]{0,47}[A-Z])[A-Za-z0-9_\-]{48}"),  # Scalingo
        ("sm_", r"sm_[aps]at_[A-Za-z0-9]{16,}+"),  # SettleMint
        ("sgp_", r"sgp_(?:[0-9A-Fa-f]{16}_|local_)?[0-9A-Fa-f]{40}"),  # Sourcegraph
        ("ico-", r"ico-(?=[A-Za-z]{0,20}[0-9])[A-Za-z0-9]{32}(?![A-Za-z0-9])"),  # Infracost
        ("pat.", r"pat\.[A-Za-z0-9_\-]{22}\.[0-9a-f]{24}\.[A-Za-z0-9]{20}"),  # Harness
        ("api_org_", r"api_org_[A-Za-z0-9]{30,}+"),  # Hugging Face
        ("secret-", r"secret-(?:live|test)-[A-Za-z0-9_\-]{30,}+=*+"),  # Stytch
        ("|", r"[0-9]{14,17}\|[A-Za-z0-9_\-]{24,}+"),  # Facebook
        ("|", r"(?:prod|dev|preview|project):[a-z0-9:\-]{4,60}\|[A-Za-z0-9+/=]{40,}+"),  # Convex
        ("hbp_", r"hbp_[A-Za-z0-9]{30,}+"),  # Honeybadger
        ("xaat-", r"xaat-[0-9a-f\-]{36}"),  # Axiom
        ("tr_", r"tr_(?:dev|prod|stg|preview)_[A-Za-z0-9]{16,}+"),  # Trigger.dev
        (
            "private_",
            r"private_(?=[A-Za-z_]{0,24}[0-9])[A-Za-z0-9+/]{27,28}=?(?![A-Za-z0-9])",
        ),  # ImageKit
        ("ATTA", r"ATTA[0-9a-f]{60,}+"),  # Trello
        ("ck_", r"ck_[0-9a-f]{40}(?![0-9A-Za-z])"),  # WooCommerce
        ("cs_", r"cs_[0-9a-f]{40}(?![0-9A-Za-z])"),
        (
            "access_token$",
            r"access_token\$(?:production|sandbox)\$[a-z0-9]{16}\$[0-9a-f]{32}",
        ),  # Braintree
        ("KEY0", r"KEY0[0-9A-F]{30,40}_[A-Za-z0-9]{20,}+"),  # Telnyx
        (
            "00",
            r"00(?=[a-z0-9_\-]{0,39}[A-Z])(?=[A-Z0-9_\-]{0,39}[a-z])[A-Za-z0-9_\-]{40}(?![\w\-])",
        ),  # Okta
        (
            "s.",
            r"s\.(?=[A-Za-z]{0,23}[0-9])(?=[a-z0-9]{0,23}[A-Z])[A-Za-z0-9]{24}(?![A-Za-z0-9])",
        ),  # Vault
        (":", r"[A-Za-z0-9_\-]{6}\.[A-Za-z0-9_\-]{6}:[A-Za-z0-9_\-]{43}(?![\w\-])"),  # Ably
        ("t1.", r"t1\.[A-Za-z0-9_\-]{20,200}\.[A-Za-z0-9_\-]{80,}+"),  # Yandex
        ("1O/w1cDnyilFU=", r"[A-Za-z0-9+/]{140,180}?1O/w1cDnyilFU="),  # LINE
        ("PushToken[", r"Expo(?:nent)?PushToken\[[A-Za-z0-9_\-]{16,}+\]?"),
        (":APA91b", r"[A-Za-z0-9_\-]{8,64}:APA91b[A-Za-z0-9_\-]{60,}+"),  # Firebase's messages
        (".", r"[MNO][A-Za-z0-9_\-]{23,27}\.[A-Za-z0-9_\-]{6}\.[A-Za-z0-9_\-]{27,}+"),  # Discord
        ("AC", r"AC[0-9a-f]{32}:[0-9a-f]{32}(?![0-9A-Za-z])"),  # Twilio
        ("aad3b4", r"aad3b435b51404eeaad3b435b51404ee:[0-9a-f]{32}"),  # hashes of Windows
        ("live_", r"live_[A-Za-z0-9]{30,}+"),  # Mollie, Lob
        ("base64:", r"base64:[A-Za-z0-9+/]{43}="),  # Laravel
        ("prv_", r"prv_(?:prod|test|stagtest)_[A-Za-z0-9]{16,}+"),  # Wompi
        ("AQE", r"AQE[a-z]hm[A-Za-z0-9+/=\-.]{60,}+"),  # Adyen
        (".bearer.", r"base64url\.bearer\.authorization\.k8s\.io\.[A-Za-z0-9_\-=]++"),
    )
)
"""What a kind of key contains and how it looks; the first is only there to be found fast.

Each has at least 16 letters, digits and signs of `shapes._LONG_WORDS` side by side, as those are
what `shapes` looks at.
"""
