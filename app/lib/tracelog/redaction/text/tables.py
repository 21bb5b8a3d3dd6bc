"""Secrets in tables that are text: CSV, and the columns that databases print."""

import re
from typing import Final

from app.lib.tracelog.redaction.keys.judge import KeyJudge
from app.lib.tracelog.redaction.keys.rules import Rule
from app.lib.tracelog.redaction.plain import MARKER

_HEAD: Final = re.compile(
    r"\"?[^\W\d][\w \t.\-\"]{0,63}(?:[,;|\t]\"?[\w \t.\-\"]{0,64}){1,63}\|?\r?\Z"
)
_COPY: Final = re.compile(r"(?i)\bcopy [^\s(]{1,128} ?\(([^()\n]{1,2000})\) from stdin")
_PROSE: Final = re.compile(r"[,;] |\w \w+ \w")
_CELLS: Final = {
    delimiter: re.compile(
        rf"(?:\A|(?<=[{delimiter}]))(?:[ ]*\"(?:[^\"]++|\"\")*+\"?|[^{delimiter}]*+)"
    )
    for delimiter in ",;|\t"
}
_EDGE: Final = ' \t\r"'


def hide_columns(text: str, judge: KeyJudge) -> str:
    """Text without the cells below a line of names that are below a secret one.

    A table ends with an empty line.
    """
    lines = text.split("\n")
    secret: list[int] = []
    delimiter = ","
    for number, line in enumerate(lines):
        if not line.strip():
            secret = []
        elif secret:
            lines[number] = _without(line, delimiter, secret)
        elif copied := _COPY.search(line):
            delimiter = "\t"
            names = copied[1].split(",")
            secret = [
                place for place, name in enumerate(names) if judge(name.strip(' "')) is Rule.HIDE
            ]
        elif _HEAD.match(line.lstrip(" |")) and not _PROSE.search(line):
            delimiter = max(_CELLS, key=line.count)
            names = [cell[0].strip(_EDGE) for cell in _CELLS[delimiter].finditer(line)]
            secret = [place for place, name in enumerate(names) if judge(name) is Rule.HIDE]
    return "\n".join(lines)


def _without(line: str, delimiter: str, secret: list[int]) -> str:
    shown, end = [], 0
    for place, cell in enumerate(_CELLS[delimiter].finditer(line)):
        if place in secret and cell[0].strip(' -+=\t\r"') and MARKER not in cell[0]:
            shown += [line[end : cell.start()], MARKER]
            end = cell.end() - (cell[0].endswith("\r"))
    return "".join([*shown, line[end:]])
