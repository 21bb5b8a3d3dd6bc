"""What the locked lists of packages hold, in shares that several pips install at once.

Standard library only.
"""

import re
from collections.abc import Iterable

_PINNED = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)(\[[^\]]*\])?==")


def shares(lists: Iterable[str], number: int) -> list[str]:
    """The packages of these texts of requirements, in at most `number` texts that share none.

    Nothing, where a text holds more than pinned packages: to find the others is left to one pip.
    """
    packages: dict[str, dict[str, None]] = {}
    for text in lists:
        for line in _lines(text):
            if not (pinned := _PINNED.match(line)):
                return []
            name = re.sub(r"[-_.]+", "-", pinned["name"]).lower()
            packages.setdefault(name, {})[line] = None
    entries = ["\n".join(lines) for lines in packages.values()]
    parts = (entries[start::number] for start in range(number))
    return ["\n".join(part) + "\n" for part in parts if part]


def _lines(text: str) -> Iterable[str]:
    """Each requirement in one line, without comments."""
    without_comments = re.sub(r"(?m)(^|[ \t]+)#.*$", "", text.replace("\r\n", "\n"))
    joined = re.sub(r"\\\n", " ", without_comments)
    return (" ".join(line.split()) for line in joined.splitlines() if line.strip())
