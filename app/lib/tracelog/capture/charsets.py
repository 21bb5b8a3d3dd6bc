"""Bodies in UTF-8, whatever they were sent in."""

import codecs
import json
import re
from typing import Final

_CHARSET: Final = re.compile(rb"charset=\"?([A-Za-z0-9_.:\-]{1,40})", re.IGNORECASE)
_UTF_8: Final = "utf-8"
_CODECS: Final = {
    _UTF_8: ("utf-8", "utf8", "us-ascii", "ascii"),
    "utf-16": ("utf-16",),
    "utf-16-le": ("utf-16le",),
    "utf-16-be": ("utf-16be",),
    "utf-32": ("utf-32",),
    "utf-32-le": ("utf-32le",),
    "utf-32-be": ("utf-32be",),
    "cp932": (
        *("shift-jis", "shiftjis", "sjis", "x-sjis", "csshiftjis", "windows-31j"),
        *("cp932", "ms932", "ms-kanji"),
    ),
    "euc_jp": ("euc-jp", "eucjp", "x-euc-jp"),
    "iso2022_jp": ("iso-2022-jp",),
    "latin-1": ("iso-8859-1", "latin1"),
    "cp1252": ("windows-1252", "cp1252"),
}
_CHARSETS: Final = {name.encode(): codec for codec, names in _CODECS.items() for name in names}
_BYTE_ORDERS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)


def json_utf8(content_type: bytes, body: bytes) -> bytes:
    """The body in UTF-8, by its charset where that is another one; a cut character is left out."""
    codec = _codec(content_type) or _UTF_8
    if codec == _UTF_8 and b"\0" in body[:4]:
        codec = json.detect_encoding(body)
    return body if codec == _UTF_8 else body.decode(codec, "ignore").encode()


def text_utf8(content_type: bytes, body: bytes) -> bytes | None:
    """The same of text; None where its charset is unknown, so that secrets would not be seen."""
    if body.startswith(_BYTE_ORDERS):
        return body.decode(json.detect_encoding(body), "ignore").encode()
    codec = _codec(content_type)
    if codec is None or codec == _UTF_8:
        return None if codec is None else body
    return body.decode(codec, "ignore").encode()


def _codec(content_type: bytes) -> str | None:
    """The name of a charset for Python, UTF-8 where nothing is said; None for an unknown one."""
    charset = _CHARSET.search(content_type)
    return _CHARSETS.get(charset[1].lower().replace(b"_", b"-")) if charset else _UTF_8
