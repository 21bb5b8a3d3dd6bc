"""Text of a form's field, whose encoding nobody says: that of the page, mostly."""

import re
from typing import Final

_JAPANESE: Final = ("cp932", "euc_jp")
_NO_TEXT: Final = re.compile("[\x80-\x9f\ue000-\uf8ff]")


def decode(raw: bytes) -> tuple[str, bool]:
    """The text, and whether its encoding could be told (UTF-8, Shift_JIS or EUC-JP)."""
    for encoding in ("utf-8", *_JAPANESE):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "utf-8" or not _NO_TEXT.search(text):
            return text, True
    return raw.decode(errors="replace"), False
