"""Files of rows, as those who get them read them."""

import csv
import errno
import io
import json
import re
import zipfile
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
import xlsxwriter

from app.lib import table_files
from app.lib.table_files import Text, TextTable, Value, file_name, is_text, open_table

COLUMNS = {"id": int, "title": str, "due_on": date, "at": datetime}
AT = datetime(2026, 11, 5, 9, 30, 15, 250_000, timezone(timedelta(hours=9)))
ROWS: list[dict[str, Value]] = [
    {"id": 1, "title": '買い物, "two"\nlines', "due_on": date(2026, 11, 5), "at": AT},
    {"id": 2, "title": "=1+1", "due_on": None, "at": AT},
]


def text(kind: Text, *titles: str) -> str:
    table = TextTable(kind, ["title"])
    return (table.head() + table.body({"title": title} for title in titles)).decode()


def cells(xml: str) -> list[str]:
    return re.findall(r"<(?:t|v)(?: [^>]*)?>([^<]*)</(?:t|v)>", xml)


def test_csv_has_moments_in_utc_and_no_formulas(tmp_path: Path) -> None:
    with open_table("csv", tmp_path / "file", COLUMNS) as table:
        table.add(ROWS[:1])
        table.add(ROWS[1:])
    content = (tmp_path / "file").read_bytes().decode()
    assert list(csv.reader(io.StringIO(content, newline=""))) == [
        ["id", "title", "due_on", "at"],
        ["1", '買い物, "two"\nlines', "2026-11-05", "2026-11-05 00:30:15"],
        ["2", "'=1+1", "", "2026-11-05 00:30:15"],
    ]


def test_csv_for_other_readers_is_exact() -> None:
    table = TextTable("csv", ["title"], exact=True)
    assert table.body([{"title": "=1+1"}]) == b"=1+1\r\n"


@pytest.mark.parametrize("kind", ["csv", "excel"])
@pytest.mark.parametrize("sign", list("=+-@＝＋－＠\t\r\n"))
def test_no_spreadsheet_takes_text_for_a_formula(sign: str, kind: Text) -> None:
    [_, [title]] = csv.reader(io.StringIO(text(kind, f"{sign}cmd|' /C calc'!A0"), newline=""))
    assert title.startswith("'" + sign)


def test_excel_finds_its_encoding_and_rounds_no_long_number() -> None:
    assert text("excel", "1234567890123456", "買い物") == (
        "\ufefftitle\r\n'1234567890123456\r\n買い物\r\n"
    )


def test_lines_of_json_have_values_of_their_types() -> None:
    lines = TextTable("jsonl", list(COLUMNS)).body(ROWS).decode().splitlines()
    assert [json.loads(line) for line in lines][1] == {
        "id": 2,
        "title": "=1+1",
        "due_on": None,
        "at": "2026-11-05T00:30:15.250000Z",
    }


def test_a_workbook_has_text_as_text_and_dates_as_dates(tmp_path: Path) -> None:
    with open_table("xlsx", tmp_path / "file.xlsx", COLUMNS) as table:
        table.add([*ROWS, ROWS[0] | {"title": "http://example.com"}])
    with zipfile.ZipFile(tmp_path / "file.xlsx") as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert not [name for name in book.namelist() if "sheet1.xml.rels" in name]
    assert "<f>" not in sheet
    found = cells(sheet)
    assert found[4:7] == ["1", '買い物, "two"\nlines', "46331"]
    assert found[7].startswith("46331.02100983")
    assert found[8:10] == ["2", "=1+1"]
    assert [path.name for path in tmp_path.iterdir()] == ["file.xlsx"]


def test_the_first_days_that_excel_knows_are_days_too(tmp_path: Path) -> None:
    days = [date(1900, 1, 1), date(1900, 2, 28), date(1900, 3, 1)]
    with open_table("xlsx", tmp_path / "file.xlsx", {"day": date}) as table:
        table.add({"day": day} for day in days)
    with zipfile.ZipFile(tmp_path / "file.xlsx") as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert cells(sheet) == ["day", "1", "59", "61"]


def test_what_a_sheet_cannot_hold_goes_on_in_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_files, "_SHEET_ROWS", 3)
    with open_table("xlsx", tmp_path / "file.xlsx", {"n": int}) as table:
        table.add({"n": n} for n in range(5))
    with zipfile.ZipFile(tmp_path / "file.xlsx") as book:
        sheets = [book.read(f"xl/worksheets/sheet{n}.xml").decode() for n in (1, 2, 3)]
    assert [cells(sheet) for sheet in sheets] == [["n", "0", "1"], ["n", "2", "3"], ["n", "4"]]


def test_a_workbook_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError), open_table("xlsx", tmp_path / "file.xlsx", COLUMNS) as table:
        table.add([{}])
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_is_an_os_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(_book: xlsxwriter.Workbook) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(xlsxwriter.Workbook, "_store_workbook", no_room)
    path = tmp_path / "file.xlsx"
    with pytest.raises(OSError, match="No space left"), open_table("xlsx", path, COLUMNS) as table:
        table.add(ROWS)


def test_names_of_files() -> None:
    now = datetime(2026, 11, 5, 12, 34, 56, tzinfo=UTC)
    assert file_name("items", "excel", now) == "items-20261105-123456.csv"
    assert file_name("items", "xlsx", now) == "items-20261105-123456.xlsx"
    assert is_text("jsonl")
    assert not is_text("xlsx")
