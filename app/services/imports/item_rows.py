"""Rows of a file as items: which column is what, and what is wrong with a row."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from app.lib.formula_guard import unguarded
from app.lib.search_grams import normalize
from app.models.item import Status
from app.models.item_import import ItemImport
from app.schemas.item import ItemIn
from app.schemas.item_import import ITEM_FIELDS, ImportChoice, ItemField

Problem = Mapping[str, Any]
"""What is wrong with one cell: `field`, pydantic's `type`, and `ctx` with what belongs to it."""

_NAMES: Final[Mapping[ItemField, frozenset[str]]] = {
    "title": frozenset({"title", "name", "subject", "summary", "タイトル", "件名", "題名", "名前"}),
    "description": frozenset(
        {"description", "details", "notes", "body", "説明", "詳細", "内容", "備考", "本文"}
    ),
    "status": frozenset({"status", "state", "ステータス", "状態", "状況"}),
    "due_on": frozenset(
        {"due_on", "due", "due date", "deadline", "期限", "期限日", "締切", "締め切り", "期日"}
    ),
}
# Also what the pages of this app say, in all its languages.
_STATUSES: Final[Mapping[str, Status]] = {
    **dict.fromkeys(("todo", "to do", "to-do", "open", "未着手", "未対応", "未完了"), "todo"),
    **dict.fromkeys(("doing", "in progress", "作業中", "進行中", "対応中"), "doing"),
    **dict.fromkeys(("done", "closed", "completed", "完了", "済", "対応済み"), "done"),
}
_DAY: Final = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]0?0:00(?::00)?)?")


def guess_columns(names: Sequence[str]) -> dict[str, int]:
    """Which column each part of an item seems to be in, from the columns' names."""
    known = [normalize(name).strip() for name in names]
    found: dict[str, int] = {}
    for field in ITEM_FIELDS:
        place = next((at for at, name in enumerate(known) if name in _NAMES[field]), None)
        if place is not None:
            found[field] = place
    return found


class ItemRows:
    """Reads rows of one file."""

    def __init__(self, file: ItemImport, choice: ImportChoice) -> None:
        self.width = len(file.sample[0])
        # A workbook's text is text as it is. In CSV an apostrophe may stand before it, which keeps
        # spreadsheets from working it out: this app's own files have that.
        self._guarded = file.shape["kind"] == "csv"
        chosen = ((field, choice.column(field)) for field in ITEM_FIELDS)
        self.columns = {field: at for field, at in chosen if at is not None}

    def read(self, cells: Sequence[str]) -> ItemIn | list[Problem]:
        """The item of a row, or what is wrong with it."""
        # Cells beyond the columns of the file stand where none belongs.
        if len(cells) > self.width and any(cells[self.width :]):
            return [{"field": "", "type": "too_many_cells", "ctx": {"width": self.width}}]
        values = {field: cells[at] for field, at in self.columns.items() if at < len(cells)}
        if self._guarded:
            values = {field: unguarded(text) for field, text in values.items()}
        if "status" in values:
            values["status"] = _status(values["status"])
        if due_on := values.get("due_on"):
            values["due_on"] = _day(due_on)
        try:
            return ItemIn.model_validate(values)
        except ValidationError as error:
            return [
                {
                    "field": str(detail["loc"][0]),
                    "type": detail["type"],
                    "ctx": {
                        name: value
                        for name, value in (detail.get("ctx") or {}).items()
                        if isinstance(value, str | int)
                    },
                }
                for detail in error.errors(include_url=False, include_input=False)
            ]


def _status(text: str) -> str:
    word = text.strip()
    if not word:
        return "todo"
    return _STATUSES.get(word) or _STATUSES.get(normalize(word)) or word


def _day(text: str) -> str:
    found = _DAY.fullmatch(text.strip())
    if found is None:
        return text
    year, month, day = found.groups()
    return f"{year}-{int(month):02}-{int(day):02}"
