"""What `manage.py doctor` says: (English, Japanese) by key."""

DOCTOR_SENTENCES: dict[str, tuple[str, str]] = {
    "doctor_fine": ("fine", "問題ありません"),
    "doctor_no_venv": (
        "There is no {path}; `python3 manage.py run` makes it.",
        "{path} がありません。`python3 manage.py run` が作ります。",
    ),
    "doctor_packages": (
        "all {count} as requirements.txt locks them",
        "{count} 個すべて requirements.txt のとおりです",
    ),
    "doctor_packages_differ": (
        "They are not as requirements.txt locks them ({which}); `python3 manage.py run` installs "
        "them.",
        "requirements.txt のとおりではありません（{which}）。`python3 manage.py run` が入れます。",
    ),
    "doctor_packages_first": (
        "not looked at: the packages come first",
        "パッケージが先なので調べていません",
    ),
    "doctor_env": (".env is well formed", ".env は正しい形です"),
    "doctor_no_env": (
        "There is no .env, so the defaults hold; `python3 manage.py run` writes one.",
        ".env がないので既定値で動きます。`python3 manage.py run` が作ります。",
    ),
    "doctor_env_none_needed": (
        "come from the environment; there is no .env",
        "環境変数から読みます。.env はありません",
    ),
    "doctor_quotes": (
        "Quotes around the value are dropped: {names}. Other programs may keep them; leave them "
        "out.",
        "値の引用符を外して読みます: {names}。ほかのプログラムでは残ることがあるので、"
        "書かないでください。",
    ),
    "doctor_misspelt": (
        "Almost the name of a setting, and passed over: {names}.",
        "設定の名前に似ていますが、設定ではないので読みません: {names}",
    ),
    "doctor_test_installs": (
        "Some tests are left out without it; `python3 manage.py test` installs it where there is "
        "one for this system.",
        "ないと一部のテストが省かれます。この環境用があれば `python3 manage.py test` が入れます。",
    ),
    "doctor_no_chromium": (
        "The browser tests are left out without Chromium or Google Chrome; install one.",
        "Chromium か Google Chrome がないとブラウザーのテストが省かれます。入れてください。",
    ),
    "doctor_hangs": (
        "No answer within {seconds} s; see whether what it asks is up, and whether a firewall is "
        "between.",
        "{seconds} 秒たっても応答がありません。相手が動いているか、"
        "ファイアウォールに遮られていないか確かめてください。",
    ),
    "doctor_breaks": (
        "This could not be looked at ({reason}); run it again, and report it if it stays.",
        "調べられませんでした（{reason}）。もう一度実行し、続くようなら報告してください。",
    ),
    # .env
    "doctor_env_tracked": (
        ".env is in Git, and so are its secrets: `git rm --cached .env`, commit, and change them.",
        ".env が Git に入っていて、秘密の値が残ります。`git rm --cached .env` "
        "してコミットし、値を変えてください。",
    ),
    "doctor_env_open": (
        ".env can be read by others on this machine; `chmod 600 .env` shuts them out.",
        ".env をこの環境のほかのユーザーが読めます。`chmod 600 .env` で閉じてください。",
    ),
    "doctor_no_origin": (
        "PUBLIC_ORIGIN is empty: in production set it, so that cookies are for https only and "
        "other hosts are refused.",
        "PUBLIC_ORIGIN が空です。本番では設定すると、クッキーが https 専用になり、"
        "ほかのホスト名を断ります。",
    ),
    # Disk
    "doctor_disk": (
        "{free} GB free; the trace log may still grow by {grows} GB",
        "空き {free} GB。トレースログが増えるのは最大で {grows} GB",
    ),
    "doctor_disk_short": (
        "{free} GB free, and the trace log may still grow by {grows} GB: make room, or lower "
        "LOG_MAX_BYTES and LOG_STORE_MAX_BYTES.",
        "空きは {free} GB ですが、トレースログはあと {grows} GB まで増えます。空きを作るか、"
        "LOG_MAX_BYTES と LOG_STORE_MAX_BYTES を下げてください。",
    ),
    "doctor_disk_full": (
        "Only {free} GB free, and the trace log may still grow by {grows} GB: make room.",
        "空きが {free} GB しかありません（トレースログはあと {grows} GB まで増えます）。"
        "空きを作ってください。",
    ),
    "doctor_disk_full_at": (
        "Only {free} GB free where {folder} is: make room.",
        "{folder} のあるディスクの空きが {free} GB しかありません。空きを作ってください。",
    ),
    # Database
    "doctor_sqlite": ("SQLite {version}", "SQLite {version}"),
    "doctor_postgres": (
        "PostgreSQL {version} at {host} (from {oldest} on)",
        "{host} の PostgreSQL {version}（{oldest} 以降が必要）",
    ),
    "doctor_postgres_old": (
        "PostgreSQL {version} at {host} is too old; use {oldest} or newer.",
        "{host} の PostgreSQL {version} は古すぎます。{oldest} 以降を使ってください。",
    ),
    "doctor_tables": ("up to date ({version})", "最新です（{version}）"),
    "doctor_tables_none": (
        "There are none yet; `python3 manage.py run` or `migrate` makes them.",
        "まだありません。`python3 manage.py run` か `migrate` が作ります。",
    ),
    "doctor_tables_old": (
        "They are of an older version ({version}); `python3 manage.py migrate` brings them up to "
        "date, and so does the next start.",
        "古い版（{version}）のままです。`python3 manage.py migrate` か、次の起動で最新になります。",
    ),
    "doctor_clock": ("{seconds} s apart from this machine's", "この環境との差は {seconds} 秒です"),
    "doctor_clock_off": (
        "{seconds} s apart from this machine's: set this machine's clock (NTP).",
        "この環境の時計と {seconds} 秒ずれています。時計を合わせてください（NTP）。",
    ),
    "doctor_clock_none": ("The server does not tell its time.", "サーバーが時刻を返しません。"),
    "doctor_tables_closed": (
        "{name} may not read them; sign in as the role that made them, or GRANT that role to "
        "{name}.",
        "{name} には読む権限がありません。テーブルを作ったロールで接続するか、"
        "そのロールを {name} に GRANT してください。",
    ),
    "doctor_role": (
        "{name}, who acts as {names}; row security binds these",
        "{name}（{names} として動き、行単位の制限を受けます）",
    ),
    "doctor_role_super": (
        "{name} is a superuser, which is more than the app needs; make it a login with CREATEROLE.",
        "{name} はスーパーユーザーで、アプリに必要な権限を超えています。CREATEROLE だけを持つ"
        "ロールを作ってください。",
    ),
    "doctor_role_lacks": (
        "{name} may neither act as {names} nor make such roles: `ALTER ROLE {name} CREATEROLE`, or "
        "have them made as docs/security.md says.",
        "{name} は {names} として動けず、ロールを作る権限もありません。"
        "`ALTER ROLE {name} CREATEROLE` とするか、"
        "docs/security.ja.md のように作ってもらってください。",
    ),
    "doctor_role_bypasses": (
        "Row security does not bind {names}: `ALTER ROLE … NOSUPERUSER NOBYPASSRLS`.",
        "{names} が行単位の制限を受けません。`ALTER ROLE … NOSUPERUSER NOBYPASSRLS` を"
        "実行してください。",
    ),
    "doctor_rows": (
        "on and forced for all {count} tables",
        "{count} 個のテーブルすべてで有効です",
    ),
    "doctor_rows_bare": (
        "Not enabled and forced, with a policy, on {names}; there only the app's own queries keep "
        "users apart: ENABLE and FORCE it, and see app/row_security.py.",
        "{names} で有効になっていないか、ポリシーがありません。ユーザーを分けるのはアプリの"
        "問い合わせだけです。ENABLE と FORCE を行い、app/row_security.py を見てください。",
    ),
    "doctor_pooler_none": ("none in between", "間にありません"),
    "doctor_pooler_session": ("Supabase's, in session mode", "Supabase の session pooler です"),
    "doctor_pooler_direct": (
        "Supabase's database itself, with an IPv6 address only: from Render take the session "
        "pooler.",
        "Supabase のデータベースに直接つながっています（IPv6 のみ）。"
        "Render からは session pooler を使ってください。",
    ),
    "doctor_pooler_transaction": (
        "A pooler lends connections out for a transaction only, and jobs need a session: use its "
        "session mode, or the database itself.",
        "プーラーがトランザクションごとに接続を貸し出しています。ジョブにはセッションが必要なので、"
        "session モードにするか、データベースに直接つないでください。",
    ),
    # Supabase
    "doctor_supabase_none": (
        "not used: accounts are in the app's own database",
        "使いません。アカウントはこのアプリのデータベースにあります",
    ),
    "doctor_supabase_half": (
        "SUPABASE_PUBLISHABLE_KEY is empty, so the app keeps accounts itself; set it, or leave "
        "SUPABASE_URL empty too.",
        "SUPABASE_PUBLISHABLE_KEY が空なので、アカウントはアプリ自身が管理します。設定するか、"
        "SUPABASE_URL も空にしてください。",
    ),
    "doctor_service": (
        "sends browsers back to {url}: the callback URL to register there",
        "ブラウザーの戻り先は {url} です（登録する callback URL）",
    ),
    "doctor_service_origin": (
        "cannot send browsers back: set PUBLIC_ORIGIN, which the callback URL begins with.",
        "ブラウザーの戻り先が決まりません。callback URL の先頭になる PUBLIC_ORIGIN を"
        "設定してください。",
    ),
    "doctor_service_there": (
        "is turned on in Supabase",
        "Supabase で有効です",
    ),
    "doctor_service_off": (
        "is not turned on in Supabase; turn it on there, or take {name} out of SUPABASE_OAUTH.",
        "Supabase で有効になっていません。有効にするか、SUPABASE_OAUTH から {name} を"
        "外してください。",
    ),
    "doctor_supabase": (
        "{host} takes SUPABASE_PUBLISHABLE_KEY",
        "{host} が SUPABASE_PUBLISHABLE_KEY を受け付けます",
    ),
    "doctor_supabase_silent": (
        "{host} does not answer ({why}); see whether SUPABASE_URL is right and the project is not "
        "paused.",
        "{host} が応答しません（{why}）。SUPABASE_URL が正しいか、"
        "プロジェクトが停止していないか確かめてください。",
    ),
    "doctor_supabase_strange": (
        "{host} answers with status {status} as no Supabase Auth does; mend SUPABASE_URL, or "
        "SUPABASE_AUTH_URL.",
        "{host} は Supabase Auth ではないようです（ステータス {status}）。SUPABASE_URL か "
        "SUPABASE_AUTH_URL を直してください。",
    ),
    "doctor_key_refused": (
        "{host} does not accept SUPABASE_PUBLISHABLE_KEY; copy it from the project's page "
        "API Keys.",
        "{host} が SUPABASE_PUBLISHABLE_KEY を受け付けません。プロジェクトの API Keys のページから"
        "写してください。",
    ),
    "doctor_key_is_secret": (
        "SUPABASE_PUBLISHABLE_KEY holds a secret key; put that into SUPABASE_SECRET_KEY.",
        "SUPABASE_PUBLISHABLE_KEY に秘密鍵が入っています。SUPABASE_SECRET_KEY に移してください。",
    ),
    "doctor_secret": ("SUPABASE_SECRET_KEY is accepted", "SUPABASE_SECRET_KEY は有効です"),
    "doctor_secret_none": (
        "SUPABASE_SECRET_KEY is empty: nobody can delete their account at Supabase.",
        "SUPABASE_SECRET_KEY が空です。Supabase のアカウントを削除できません。",
    ),
    "doctor_secret_refused": (
        "SUPABASE_SECRET_KEY is not accepted (status {status}); copy it from the project's page "
        "API Keys.",
        "SUPABASE_SECRET_KEY が受け付けられません（ステータス {status}）。"
        "プロジェクトの API Keys のページから写してください。",
    ),
    "doctor_secret_silent": (
        "No answer to SUPABASE_SECRET_KEY ({why}); try again.",
        "SUPABASE_SECRET_KEY を確かめられませんでした（{why}）。もう一度試してください。",
    ),
    "doctor_jwks": ("signed with {kinds}", "{kinds} で署名されています"),
    "doctor_jwks_none": (
        "The project publishes no signing keys, so tokens under /api are refused: make some on its "
        "page JWT Keys, or set SUPABASE_JWT_SECRET.",
        "プロジェクトに署名鍵がないので、/api でトークンを使えません。JWT Keys のページで作るか、"
        "SUPABASE_JWT_SECRET を設定してください。",
    ),
    "doctor_jwks_silent": (
        "The project's signing keys cannot be read, so tokens under /api are refused; see whether "
        "SUPABASE_AUTH_URL is right.",
        "プロジェクトの署名鍵を読めないので、/api でトークンを使えません。SUPABASE_AUTH_URL を"
        "確かめてください。",
    ),
    # Log store
    "doctor_store": (
        "{name}: written and read back in {ms} ms",
        "{name}: 書き込みと取り消しに {ms} ミリ秒",
    ),
    "doctor_store_to_come": ("made with the first row", "最初の行とともに作られます"),
    "doctor_store_fails": (
        "It does not do what the log needs ({reason}); until it does, the log stays in the CSV "
        "files.",
        "ログの保存に使えません（{reason}）。直るまで、ログは CSV に残ります。",
    ),
    "doctor_token": ("does not end", "期限はありません"),
    "doctor_token_ends": (
        "TURSO_TOKEN ends on {day}; make a new one in time.",
        "TURSO_TOKEN の期限は {day} です。それまでに作り直してください。",
    ),
    "doctor_token_ended": (
        "TURSO_TOKEN ended on {day}; make a new one and put it into {place}.",
        "TURSO_TOKEN の期限は {day} に切れました。作り直して、{place}に書いてください。",
    ),
    "doctor_token_reads": (
        "TURSO_TOKEN may only read; make one that may write too.",
        "TURSO_TOKEN は読み取り専用です。書き込めるものを作ってください。",
    ),
    "doctor_log_tables_none": ("made with the first row", "最初の行とともに作られます"),
    "doctor_log_tables_differ": (
        "Missing: {which}; the app adds them at its next start.",
        "足りないもの: {which}。次の起動で加わります。",
    ),
    # Mail
    "doctor_mail": ("{where} is ready to take mail", "{where} に送れます"),
    "doctor_mail_refuses": (
        "{where} does not accept SMTP_USER and SMTP_PASSWORD; mend them in {place}.",
        "{where} が SMTP_USER と SMTP_PASSWORD を受け付けません。{place}を直してください。",
    ),
    "doctor_mail_silent": (
        "{where} cannot be used ({reason}); mend SMTP_HOST, SMTP_PORT or SMTP_TLS in {place}.",
        "{where} を使えません（{reason}）。{place}の SMTP_HOST、SMTP_PORT、SMTP_TLS を"
        "直してください。",
    ),
    # What the tests use
    "doctor_runs": ("{version}", "{version}"),
    "doctor_no_modules": (
        "node_modules is not as package-lock.json says; `python3 manage.py test` installs it.",
        "node_modules が package-lock.json のとおりではありません。"
        "`python3 manage.py test` が入れます。",
    ),
    "doctor_chromium_fails": (
        "{path} does not start; the browser tests need one that does.",
        "{path} が起動しません。ブラウザーのテストには、動くものが必要です。",
    ),
}
