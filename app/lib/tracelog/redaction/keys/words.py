"""The words that make a key secret, and the words that take it back.

Words are lower case and come from keys split at their seams (`newPassword`, `X-Api-Key`).
`keys` says how they are put together.
"""

import re
from typing import Final


def words(text: str) -> frozenset[str]:
    """The words of a list written as text."""
    return frozenset(text.split())


SECRET_WORDS: Final = words(
    """
    pswd pswrd psw passwort kennwort senha contrasena contrasenia contrasenya wachtwoord salasana
    heslo lozinka parool adgangskode jelszo haslo sifre secrets token jwt bearer cred creds csrf
    xsrf tpin mpin mypin xprv otps cvv cvc ccv csc ssn sid sids mnemonic psk samlresponse iban
    wresult contrasenha psswd paswd passw secretword puk ansho anshou ansyo ansyou passwrod passowrd
    socialsecuritynumber newpin oldpin confirmpin currentpin cardpin userpin bankpin
    otpcode totpcode otpseed totpseed basicauth dockerconfigjson samlrequest pasuwado pasuwaado
    aikotoba nino
    """
)

SECRET_PHRASES: Final = tuple(
    tuple(phrase.split())
    for phrase in """
    pass word|pass wd|pass phrase|pass code|mot de passe|access key|account key|admin key|aes key
    api key|app key|application key|auth key|client key|consumer key|decryption key|deploy key
    encryption key|function key|functions key|hmac key|license key|licence key|master key|pem key
    private key|recovery key|role key|root key|rsa key|server key|service key|session key
    shared key|signing key|ssh key|storage key|subscription key|webhook key|session id
    session hash|session identifier|access code|auth code|authentication code|backup code
    code verifier|confirm code|confirmation code|device code|login code|mfa code|one time code
    recovery code|reset code|security code|sms code|verification code|verify code|2 fa code
    activation code|pin code|pin number|pin no|pin hash|pin confirm|pin confirmation
    activation key|cert key|certificate key|product key|ssl key|tls key|wep key|wifi key|wpa key
    unlock code|two factor code|question answer|questions answer|maiden name
    answer to security question|security question response|wallet key|wallet seed|vault key
    enc key|encrypt key|decrypt key|push key|pgp key|gpg key|priv key|reset key|signature key
    serial key|rapidapi key|openai key|anthropic key|gemini key|stripe key|firebase key
    sendgrid key|mailgun key|resend key|supabase key|turso key|github key|key pem|private pem
    vapid private|gpg private|rsa private|pass hash|oauth verifier|email code|invite code
    invitation code|scratch code|login link|passport no|driver license|drivers license|oob code
    palavra passe|unseal key|secure hash|code 2 fa|national insurance|client assertion
    connection string|conn str|magic link|recovery phrase|seed phrase|seed words|security answer
    secret answer|challenge answer|clave secreta|kata sandi|card number|card no|card num|card pan
    cc number|cc num|cc no|credit card|debit card|account number|bank account|my number
    individual number|social security|passport number|account no|preshared key
    instrumentation key|sas key
    protection bypass|vercel share|crypto key|security cd|koza no|kouza no|himitsu answer|x wsse
    login key|secure key|pass key|twofactor code|tfa code|authenticator code|pin block
    signed request|key phrase|security key|stream key|login challenge|consent challenge
    logout challenge|login verifier|consent verifier|captcha response|recaptcha response
    turnstile response|method nonce|card nonce|wpa 2 key|wpa 3 key|wi fi key|network key
    wireless key|pass confirmation|pass confirm|pass conf|confirm pass|repeat pass|pass repeat
    pass new|door code|gate code|alarm code|lockbox code|pass kakunin|merchant key|binding code
    check code|emergency code|pairing code|gift code|gift card|v code|honeycomb team
    unlock pattern|challenge response|p word|entry code|keypad code|safe code|locker code
    garage code|lock code|lock combination|safe combination|snmp community|community string
    verification value|key material|hash iv
    kojin bango|koza bango|kouza bango|ninsho code|ninshou code|ninsyo code
    """.replace("\n", "|").split("|")
    if phrase.strip()
)
"""Words that are secret only side by side; the plural of the last one counts too."""

SECRET_LAST: Final = frozenset({"pin", "pins", "auth", "authentication", "pw", "dpop", "mdp"})
"""Secret as a whole key or as its last word: `card_pin`, `x-auth`, but not `pin_color`."""

PASS_OWNERS: Final = words(
    """
    account admin app basic become bind cert client current db email ftp http imap key keystore ldap
    login mail master my mysql new old pg pop postgres proxy redis root server service shop site
    smtp ssh store sudo truststore user vault wallet wifi x
    """
)
"""What stands before a last `pass` when it means a password: `db_pass`, not `first_pass`."""

FARES: Final = frozenset(
    {"economy", "premium economy", "business class", "first class", "silver", "gold", "platinum"}
)
"""Values of a `pass` that lets in."""

PASS_OTHERS: Final = words(
    """
    all annual bandwidth boarding bus day depth did does event family final first free game guest
    hall lane last low high monthly month mountain museum night one press rail render runway season
    second shadow single ski tests third to train transit travel trial two week weekend year yearly
    """
)
"""What stands before a last `pass` that lets in, or goes by: `boarding_pass`."""

BOARDING: Final = words("boarding bus day museum rail season ski train travel weekend")
"""The same in text, before `pass:`."""

GLUED_ANYWHERE: Final = ("password", "passwd", "passphrase", "csrf", "xsrf")
GLUED_STARTS: Final = (
    "secretkey", "apikey", "privatekey", "accesskey", "sessionkey", "psswd", "psswrd", "passwrd",
    "paswd", "paswrd", "pasword", "passord",
)  # fmt: skip
GLUED_ENDS: Final = (
    "token",
    "secret",
    "passcode",
    "apikey",
    "accesskey",
    "authkey",
    "masterkey",
    "secretkey",
    "sessionid",
    "sessid",
    "sesskey",
    "cookie",
    "cookies",
    "credential",
    "credentials",
    "authorization",
    "pwd",
    "pw",
    "pass",
    "otp",
    "authcode",
    "mynumber",
    "cvc",
    "cvv",
    "jwt",
)
"""Secret words that people write without a seam: `csrfmiddlewaretoken`, `dbpassword`."""

PAGE_OWNERS: Final = words("continuation idempotency next page pagination sync")
"""What stands before a last `token` that says where a list goes on, or which request it was."""

NOT_SECRET: Final = words(
    "bypass compass encompass overpass passwordless surpass trespass underpass"
)

OTHER_NAMES: Final = frozenset({"auth0"})
"""Whole keys that are called like a secret and are the name of something else."""

FLAG_HEADS: Final = words(
    """
    is has had can should must needs need requires require required allow allows use uses enable
    enabled disable disabled show hide skip forgot without
    """
)
"""First words of yes-or-no keys: `is_password_set`."""

FLAGS_INSIDE: Final = words("allow allows has needs requires")
"""Those that say so right before the secret word, too: `user_has_password`."""

COUNT_HEADS: Final = frozenset({"max", "min", "num", "total"})

COUNT_TAIL: Final = words(
    """
    length len count counts total limit limits max min size used usage left remaining budget
    attempts tries retries failures expiry expires expiration expired expire ttl age lifetime second
    seconds minute minutes hour hours day days at in on until since date time timestamp changed
    change found updated created creation modified rotated revoked issued set required enabled
    disabled valid verified exists present price cost ratio index position entropy score bits window
    step timeout interval duration exp history checks quota logprob
    logprobs
    """
)
"""Last words of keys that measure a secret and do not hold it: `password_length`."""

MEASURE_TAIL: Final = words("at on until count total totals seconds minutes hours days ms ratio")
"""The same, whatever stands before: `reset_password_sent_at`, `token_refresh_seconds`."""

LABEL_TAIL: Final = words(
    """
    type types name names url urls uri endpoint endpoints policy policies rule rules strength
    algorithm alg scheme field fields label placeholder format page domain samesite provider issuer
    audience scope scopes status error errors message help title description version category kind
    source method methods supported auth consent manager hasher hashers list
    accepted use last four feedback tips arn country hint hints symbol
    link button icon toggle tab color colour background border class classname action actions
    backend categories channel channels driver engine event events flow flows frequency generator
    group groups guide handler language level levels locale middleware mode modes model owner plugin
    purpose region requirement requirements schema screen strategies strategy template
    banner validator validators origin origins trusted
    """
)
"""Last words of keys that describe a secret: `token_type`, `authorization_url`."""

FILE_TAIL: Final = words("file files filename path dir ref")
"""Last words of keys that say where a secret is, and hide what is no place: `PASSWORD_FILE`."""

KEY_TAIL: Final = words("id ids header prefix")
"""The same behind a key or a token: `api_key_id`, but not Vault's `secret_id`."""

KEY_TAILED: Final = words("key keys token csrf xsrf")

CHECK_TAIL: Final = words("check checks result response")
"""Behind the code of a card, what a bank said of it: `cvc_check`."""

CHECKED: Final = words("cvc cvv csc ccv")

PASS_JAPANESE: Final = re.compile("定期|年間|周遊|乗車|入場|搭乗|一日|日券|コン|バイ")
"""In what stands before a last `pass` that lets in."""

PIN_PLACES: Final = words("bowling connector gpio hair lapel location map rolling safety store")
"""What stands before a last `pin` when it is none of numbers: `mapPins`."""

OTHER_CODES: Final = words(
    """
    airport area bank branch category charge city class color colour company country coupon course
    currency customer department discount dress employee error exit fault grid group http item jan
    job language machine member model municipality order part plant post postal prefecture product
    project promo reason region response result return school shop signal source sql staff state
    station status store subject supplier swift system tax vendor warehouse zip
    """
)
"""What stands before `code` in text when it opens nothing."""

GRANT_OWNERS: Final = frozenset({"js", "user"})
"""What stands before a last `code` that may open something, or be the number of a user."""

SECRET_OTHERS: Final = words(
    """
    admirer agent agents ballot garden ingredient ingredients level levels menu mission missions
    question questions recipe recipes santa sauce society weapon
    """
)
"""What follows `secret` where it opens nothing: `secret_santa`."""

PHRASE_LAST: Final = frozenset({"seed", "phrase", "words"})
"""Last words of keys that hold a secret where the value is a dozen words: `seed`."""

WORD_LAST: Final = frozenset({"clave", "parola"})
"""Last words of keys that mean a password or just a word, and hide what is more than a word."""

SESSION_LAST: Final = words("session sess salt pepper nonce wpnonce cnonce nextnonce")
"""Last words of keys whose value may be a short secret, or the name of a lecture, or 3 g."""

RANDOM_LAST: Final = words(
    "sig sign signature salt pepper hmac ticket assertion crumb pfx pkcs keystore pat verifier"
)
"""Last words of keys that hold a secret only where the value looks like one."""

SIGNED_WITH: Final = words("ed sha hex base value digest")
"""What may follow them in a key, with its digits: `X-Signature-Ed25519`, `SignatureValue`."""

OTHER_KEYS: Final = words(
    """
    alias asset attachment avatar base blob bucket cache candidate children chunk clustering
    column composite cursor dedup dedupe event facet feature field file flag foreign group hash
    host idempotency image index intl issue item job joint key lang language locale lock lookup
    map media menu message meta metric msg natural node object option order page parent part
    partition path photo primary project public publishable range record redis resource row search
    shard site sort state sub surrogate tab table tag task tenant thumbnail topic translation
    unique socket upload video widget
    """
)
"""What stands before a last `key` that opens nothing: `sort_key`, `image_key`."""

KEY_LAST: Final = frozenset({"key", "keys"})
"""Last words of keys that hold a secret where the value looks like one and no UUID or path."""

RANDOM_ALONE: Final = words("state access refresh oauth challenge verifier plaintext")
"""The same where a key has no other word."""

RANDOM_PHRASES: Final = frozenset(
    {"code id", "session state", "session info", "remember me", "relay state"}
)
"""The same of two words. The first two are Keycloak's, the third is Firebase's."""

CODE_ALONE: Final = frozenset({"code", "mfa", "tfa", "sms", "combination", "verification"})
"""The same where a key has no other word; here 4 to 8 digits look like a secret, too."""
