"""What the commands say, in the language of the person's locale. Standard library only."""

import json
import locale
import os
import sys
from typing import TextIO
from unicodedata import east_asian_width

from commands.kit.sentences import SENTENCES


class Failure(Exception):
    """What a person must mend before the command can go on: one sentence of `SENTENCES`.

    `code` is the command's exit code.
    """

    code = 1

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(text(key, **values))


def place(name: str) -> str:
    """Where a setting is mended: the environment if that gives it, for it wins, or else `.env`."""
    if name in os.environ:
        return text("in_environment")
    return ".env " if language() == "ja" else ".env"  # Japanese has a space beside Latin letters


def language() -> str:
    """`ja` or `en`, as the environment says, or else the system."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if chosen := os.environ.get(name):
            return "ja" if chosen.lower().startswith("ja") else "en"
    return "ja" if (locale.getlocale()[0] or "").lower().startswith("ja") else "en"


def text(key: str, **values: object) -> str:
    """The sentence of this key with its values filled in."""
    en, ja = SENTENCES[key]
    return (ja if language() == "ja" else en).format(**values)


def say(key: str, *, file: TextIO | None = None, **values: object) -> None:
    """Print a sentence on standard output, or on `file`."""
    print(text(key, **values), file=file or sys.stdout, flush=True)


def cannot_print() -> bool:
    """Whether what was printed cannot be written, as on a full disk: Python keeps it."""
    try:
        sys.stdout.flush()
    except OSError:
        return True
    return False


def columns(shown: str) -> int:
    """How wide it is on a terminal, where Japanese letters take two columns."""
    return sum(2 if east_asian_width(letter) in "FW" else 1 for letter in shown)


def print_json(value: object) -> None:
    """Print `value` for programs, who lose nothing where a console cannot show a character."""
    shows_all = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(value, ensure_ascii=not shows_all, indent=1, default=str))
