"""How code and databases declare what is called a secret, and holds none."""

import re
from typing import Final

TYPED: Final = re.compile(
    r"[ \t]?(?:Option(?:al\[|<))?(?:&(?:'static )?)?"
    r"(?:str|string|String|bytes|Buffer|SecretStr|Final|[Aa]ny)"
    r"[\]>?!]?(?:\[str\])?(?: ?\| ?(?:None|null|undefined))?"
    r"(?:[ \t]?=(?P<given>(?=[ \t]?[bfr]?[\"'`]))|(?=[ \t]?(?:[,;)}\r\n]|\Z|=[ \t]?(?:None"
    r"|null)\b)))"
)

COLUMN_TYPE: Final = re.compile(
    r"[ \t]{0,40}(?:n?varchar|n?char|character|text|uuid|bytea|blob|binary|json|u?int|smallint"
    r"|bigint"
    r"|integer|boolean|timestamp|string)\b"
)
"""What a table's description says of a column: `password | varchar(255)`."""

EXCEPTION: Final = re.compile(
    r"(?:^|\.)[A-Z][A-Za-z0-9]*(?:Error|Exception|Warning)\Z"
    r"|(?:^|\.)(?:Invalid|Expired|Missing|Unknown|Wrong|Bad|Weak|Incorrect|Unauthorized|Revoked)"
    r"[A-Z][A-Za-z0-9]*\Z"
    r"|(?:^|\.)[A-Z][A-Za-z0-9]*(?:Expired|Missing|Mismatch|Denied|Failed|Revoked|NotFound"
    r"|Required)\Z"
)
