"""Keys that make a secret of what stands beside them, and keys whose value hangs on such ones."""

from typing import Final

from app.lib.tracelog.redaction.words import words

BESIDE_CODE: Final = frozenset({"state", "iss", "scope", "session_state", "grant_type"})
"""With one of these a `code` that is mixed of letters and digits is one of OAuth's."""

KEY_PARTS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})
"""The private parts of a JSON Web Key, beside its `kty`."""

LOGIN_KEYS: Final = frozenset({"u", "e", "user", "username", "login", "email", "id", "uid"})
"""Beside one of these `p` may be short for a password."""

ANSWERS: Final = frozenset({"answer", "答え", "回答", "答"})
"""Secret beside a secret question."""

REPLIES: Final = ANSWERS | {"response", "reply"}
"""Secret beside a prompt for a secret."""

PROMPTS: Final = ("prompt", "question", "label", "message", "質問")

STATEMENTS: Final = ("sql", "statement", "query")
BINDINGS: Final = frozenset({"params", "parameters", "bindings", "binds", "args", "arguments"})
"""What is put into a statement, and secret where that names a secret column."""

KIN_ALONE: Final = KEY_PARTS | REPLIES | BINDINGS

PART_OWNERS: Final = words(
    """
    access api backup bank card challenge credit debit encryption jwt master payment_card private
    recovery security session signing ssh user_session verification
    """
)
"""Containers whose name makes a secret phrase with a key in them: `{"card": {"number": …}}`."""

VALUE_KEYS: Final = words(
    """
    value values val v input default current previous old new before after from to received
    値 入力値 内容
    """
)
"""Keys whose secrecy hangs on a neighbour: `{"name": "password", "value": …}`."""

VALUE_OWNERS: Final = (["input"], ["old"], ["new"], ["rejected"], ["parameter"], ["option"])
"""What stands before `value` in such a key."""

TARGET_KEYS: Final = words(
    "target selector selectors locator xpath element testid instancepath datapath"
)
"""What a tool that records or checks forms calls the field that something is typed into."""

TYPED_KEYS: Final = words("text data keys chars typed")
"""What it calls that which is typed: `{"target": "#password", "text": …}`."""

NAME_KEYS: Final = (
    "name",
    "key",
    "field",
    "loc",
    "type",
    "id",
    "param",
    "parameter",
    "header",
    "attribute",
    "property",
    "path",
    "label",
    "column",
    "setting",
    "variable",
    "selector",
    "selectors",
    "target",
    "locator",
    "dataPath",
    "instancePath",
    "placeholder",
    "k",
    "Name",
    "Key",
    "ParameterKey",
    "AttributeName",
    "OptionName",
    "項目",
    "項目名",
    "名前",
    "ラベル",
    "キー",
)
"""The neighbours that say what a value is."""
