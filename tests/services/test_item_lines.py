"""The quick way to read rows of files gives what the thorough one gives."""

from collections.abc import Sequence

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.item_import import ItemImport
from app.schemas.item import ItemIn
from app.schemas.item_import import ImportChoice
from app.services.imports.good_lines import GoodLines, line_of
from app.services.imports.item_rows import ItemRows

CELLS = {
    "titles": [
        "東京", " two  words\n", "", " \u3000", "\u200b", "a\x00b", "a\u200db", "x" * 201, "ß\x1fß",
        "'=1+1", "'it's", "＝SUM", "\ud800", "x" * 200, "\u0378", " 'a",
    ],
    "descriptions": [
        "", "二行\n目", "a\r\nb\rc", "tab\tand \u3000", "\x07", "'-1", "'", "x" * 10_001,
        "🎉\u200d👍", "\ud83d", "\u2028", "x" * 10_000,
    ],
    "states": ["", "todo", "完了", " DONE ", "ｄｏｎｅ", "'todo", "maybe", "'=done"],
    "days": [
        "", "2026-01-30", "2026/1/30", "2026年1月30日", " ", "2026-13-01", "1899-12-31",
        "'2026-01-30", "soon", "2026-01-30 00:00:00", "9999-12-31",
    ],
}  # fmt: skip
ROW = st.tuples(*(st.sampled_from(cells) for cells in CELLS.values())).map(list)
ROWS = st.lists(
    st.one_of(ROW, ROW.map(lambda row: row[:2]), ROW.map(lambda row: [*row, "more"])), max_size=30
)


def rows_of(kind: str, **columns: int) -> ItemRows:
    file = ItemImport(sample=[["a", "b", "c", "d"]], shape={"kind": kind})
    return ItemRows(file, ImportChoice(title=0, **columns))


def thorough(rows: ItemRows, cells: Sequence[str]) -> object:
    found = rows.read(cells)
    if not isinstance(found, ItemIn):
        return found
    due_on = found.due_on.isoformat() if found.due_on else None
    return line_of(found.title, found.description, found.status, due_on)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("columns", [{}, {"description": 1, "status": 2, "due_on": 3}])
@given(table=ROWS)
def test_each_row_gives_the_same_either_way(
    kind: str, columns: dict[str, int], table: list[list[str]]
) -> None:
    rows = rows_of(kind, **columns)
    lines = GoodLines(rows)
    for cells in [["東京", "", "done", "2026-01-30"], *table, *table]:
        assert lines.read(cells) == thorough(rows, cells)


def test_a_row_is_read_thoroughly_once_for_each_status_and_date(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = rows_of("csv", description=1, status=2, due_on=3)
    read, lines = list[str](), GoodLines(rows)
    by_rows = rows.read

    def counted(cells: Sequence[str]) -> object:
        read.append(cells[0])
        return by_rows(cells)

    monkeypatch.setattr(rows, "read", counted)
    for title in ("one", "two", "three", "'=4"):
        for status in ("todo", "完了"):
            found = lines.read([title, "二行\n目\u3000", status, "2026/1/30"])
            assert isinstance(found, bytes)
            line = found
    assert read == ["one", "one", "'=4", "'=4"]
    *said, key = orjson.loads(line)
    assert said == ["=4", "二行\n目\u3000", "done", "2026-01-30"]
    assert line == line_of(*said)
    assert -(1 << 63) <= key < 1 << 63
