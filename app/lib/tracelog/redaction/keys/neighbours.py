"""Keys that make a secret of what stands beside them, and keys whose value hangs on such ones."""

from typing import Final

from app.lib.tracelog.redaction.keys.words import words

BESIDE_CODE: Final = frozenset({"state", "iss", "scope", "session_state", "grant_type"})
"""With one of these a `code` that is mixed of letters and digits is one of OAuth's."""

BESIDE_GRANT: Final = words(
    "code_verifier codeVerifier client_secret clientSecret grant_type grantType"
)
"""With one of these any `code` is one."""

OF_PEOPLE: Final = words(
    """
    email phone tel user username user_id userId token type state grant_type to mobile recipient
    method factor_id factorId challenge_id challengeId password expires_in expiresIn expires_at
    """
)
"""Beside one of these a `code` of digits is that of a person."""

BESIDE_STATE: Final = frozenset(
    {"code", "nonce", "client_id", "redirect_uri", "response_type", "code_challenge", "iss"}
)
"""With one of these a short `state` is that of a login."""

BESIDE_RESPONSE: Final = frozenset({"challenge_id", "challengeId", "secret"})
"""With one of these a `response` is a code, or what a captcha has given."""

DERIVED: Final = words("hash digest derived_key derivedKey verifier key")
"""What is made of a password, beside its `salt`."""

KEY_PARTS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})
"""The private parts of a JSON Web Key, beside its `kty`."""

LOGIN_KEYS: Final = frozenset({"u", "e", "user", "username", "login", "email", "id", "uid"})
"""Beside one of these `p` may be short for a password."""

ANSWERS: Final = frozenset({"answer", "答え", "回答", "答"})
"""Secret beside a secret question."""

REPLIES: Final = ANSWERS | {"response", "reply"}
"""Secret beside a prompt for a secret."""

PROMPTS: Final = ("prompt", "question", "label", "message", "title", "質問")

REPEATS: Final = words("confirm confirmation repeat retype again")
"""Beside a password, the same once more."""

CALLS: Final = ("method", "action", "type", "command", "cmd", "op", "function", "func", "task")
"""What says what is done with them."""

STATEMENTS: Final = ("sql", "statement", "query")
BINDINGS: Final = frozenset(
    {"params", "parameters", "bindings", "binds", "args", "arguments", "payload"}
)
"""What is put into a statement, and secret where that names a secret column."""

FIELDS_OF_DATA: Final = words("password passwd passcode passphrase token secret pin otp pwd")
"""What something is called whose `data` is a secret: `{"name": "password", "data": …}`."""

TABLES: Final = words("columns cols fields schema header headers")
ROWS: Final = frozenset({"rows", "data", "values"})

HOLDERS: Final = TABLES | {"variables"}
"""Beside a query or rows they say which of what stands there is secret."""

KIN_ALONE: Final = KEY_PARTS | REPLIES | REPEATS | BINDINGS | HOLDERS

PART_OWNERS: Final = words(
    """
    access api backup bank card challenge credit debit encryption jwt master payment_card private
    recovery secretquestions secret_questions security securityquestions security_questions session
    signing snmp ssh user_session verification
    カード クレジットカード パスポート 免許証 口座 銀行口座 旅券
    """
)
"""Containers whose name makes a secret phrase with a key in them: `{"card": {"number": …}}`."""

VALUE_KEYS: Final = words(
    """
    value values val v input default current previous old new before after from to received
    lhs rhs attempted given actual supplied submitted 値 入力値 入力 内容
    """
)
"""Keys whose secrecy hangs on a neighbour: `{"name": "password", "value": …}`."""

VALUE_OWNERS: Final = words(
    "input old new rejected parameter option invalid attempted actual given"
)
"""What stands before `value` in such a key."""

TARGET_KEYS: Final = words(
    "target selector selectors locator xpath element testid instancepath datapath"
)
"""What a tool that records or checks forms calls the field that something is typed into."""

TYPED_KEYS: Final = words("text data keys chars typed")
"""What it calls that which is typed: `{"target": "#password", "text": …}`."""

NAME_KEYS: Final = words(
    """
    name key field loc type id param parameter header attribute property path label column setting
    variable selector selectors target locator dataPath instancePath placeholder k title fieldName
    event propertyName columnName paramName attributeName variableName field_name column_name
    param_name property_name variable_name Name Key Field Property Column Label Title FieldName
    PropertyName ColumnName ParameterKey ParameterName AttributeName OptionName VariableName
    keyName key_name KeyName 項目 項目名 名前 名称 ラベル キー 見出し
    """
)
"""The neighbours that say what a value is."""

NAMES_INSIDE: Final = ("name", "key", "field", "label", "id", "title")
"""The most common ones, for keys of forms: `fields[0][name]`."""

HEADINGS: Final = frozenset({"title", "Title", "見出し"})
"""Of these only such as end with the word: `Password`, but not `Password resets`."""
