"""Tables that somebody sends: what is in them arrives as text, and what is none is refused."""

import zipfile
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

import pytest
from xlsxwriter import Workbook

from app.lib import xlsx_archive, xlsx_rows, xlsx_strings
from app.lib.table_problems import Row, TableLimits, TableProblem
from app.lib.table_source import inspect, open_rows

LIMITS = TableLimits(rows=1000, columns=20, unpacked_bytes=5_000_000)
ROW_OF_JAPANESE = "題名,説明\n議事録を書く,①「東京」〜会議\n"

_TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
_SPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PARTS = {
    "[Content_Types].xml": _TYPES,
    "xl/workbook.xml": (
        f'<workbook {_SPACE} xmlns:r="{_RELATION}">'
        '<sheets><sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{_RELATION}/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>"
    ),
    "xl/worksheets/sheet1.xml": "",
}
"""A workbook of one sheet, which a test fills."""


def read(path: Path, limits: TableLimits = LIMITS) -> list[Row]:
    with open_rows(path, inspect(path), limits) as rows:
        return list(rows)


def refused(path: Path, limits: TableLimits = LIMITS) -> str:
    with pytest.raises(TableProblem) as raised:
        read(path, limits)
    return raised.value.code


def sheet(rows: str, before: str = "") -> str:
    return f"{before}<worksheet {_SPACE}><sheetData>{rows}</sheetData></worksheet>"


def workbook(path: Path, rows: str = "", parts: Mapping[str, str] | None = None) -> Path:
    """A workbook with these rows; `parts` take the place of its own."""
    whole = PARTS | {"xl/worksheets/sheet1.xml": sheet(rows)} | dict(parts or {})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in whole.items():
            archive.writestr(name, content)
    return path


def many_strings(path: Path) -> Path:
    """A workbook with 907 of them."""
    with Workbook(path) as book:
        page = book.add_worksheet()
        for number in range(900):
            page.write_row(number, 0, [f"項目 {number}", f"text {number % 7}"])
    return path


class TestCsv:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
    def test_the_encoding_is_found(self, tmp_path: Path, encoding: str) -> None:
        path = tmp_path / "items.csv"
        text = ROW_OF_JAPANESE.replace("〜", "～")  # the one that CP932 has
        path.write_bytes(text.encode(encoding))

        assert read(path) == [(1, ["題名", "説明"]), (2, ["議事録を書く", "①「東京」～会議"])]

    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_the_delimiter_is_found(self, tmp_path: Path, delimiter: str) -> None:
        path = tmp_path / "items.csv"
        path.write_text(f'title{delimiter}due\n"a{delimiter} b"{delimiter}\n\nc{delimiter}d\n')

        assert read(path) == [(1, ["title", "due"]), (2, [f"a{delimiter} b", ""]), (4, ["c", "d"])]

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"", "empty"),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not_a_table"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old", "old_excel"),
            (b"title\n\xff\xfe\xfa\n", "encoding"),
            (b'title\n"never closed\nb\n', "quotes"),
            (b'title\n"a"b"\n', "quotes"),
            (b"title\n" + b"x" * 1_100_000, "row_too_long"),
            (b'title\n"' + b"x\n" * 50_000, "quotes"),
            (b'title\n"' + b"x\n" * 600_000, "row_too_long"),
            (b"a," * 10_000, "too_many_columns"),
            (b"a\n" * 1_100, "too_many_rows"),
            (b"a\n" + b"\n" * 1_100_000, "too_many_rows"),
        ],
        ids=lambda given: given if isinstance(given, str) else "",
    )
    def test_what_is_no_table_is_refused(self, tmp_path: Path, content: bytes, code: str) -> None:
        path = tmp_path / "items.csv"
        path.write_bytes(content)

        assert refused(path) == code


class TestWorkbook:
    def test_cells_are_what_the_spreadsheet_shows(self, tmp_path: Path) -> None:
        path = tmp_path / "items.xlsx"
        with Workbook(path) as book:
            page = book.add_worksheet()
            day = book.add_format({"num_format": "yyyy/mm/dd"})
            bold = book.add_format({"bold": True})
            page.write_row(0, 0, ["題名", "=1+1", 12, 1.5, True])
            page.write_datetime(2, 1, datetime.combine(date(2026, 2, 28), datetime.min.time()), day)
            page.write_rich_string(3, 0, "two ", bold, "kinds", " of text")
            page.write_formula(4, 0, "=A1", None, "the result")

        assert read(path) == [
            (1, ["題名", "0", "12", "1.5", "TRUE"]),  # the formula's result is not known yet
            (3, ["", "2026-02-28"]),
            (4, ["two kinds of text"]),
            (5, ["the result"]),
        ]

    def test_many_rows_have_many_strings(self, tmp_path: Path) -> None:
        rows = read(many_strings(tmp_path / "items.xlsx"))

        assert rows[0] == (1, ["項目 0", "text 0"])
        assert rows[899] == (900, ["項目 899", "text 3"])

    def test_it_unpacks_to_no_more_than_it_may(self, tmp_path: Path) -> None:
        bomb = workbook(tmp_path / "bomb.xlsx", "<row/>" + " " * 6_000_000)

        assert bomb.stat().st_size < 20_000
        assert refused(bomb) == "unpacks_to_too_much"

    @pytest.mark.parametrize(("name", "limit"), [("_NOT_MUCH", 1000), ("_MOST_TIMES", 250)])
    def test_what_is_small_or_not_so_much_larger_inside_is_no_bomb(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, limit: int
    ) -> None:
        monkeypatch.setattr(xlsx_archive, "_NOT_MUCH", 1000)
        rows = '<row r="1"><c r="A1"><v>1</v></c></row>' + " " * 500_000
        path = workbook(tmp_path / "items.xlsx", rows)

        assert refused(path) == "unpacks_to_too_much"
        monkeypatch.setattr(xlsx_archive, name, limit * 1000)
        assert read(path) == [(1, ["1"])]

    @pytest.mark.parametrize(
        "rows",
        ["<a>" * 100, "".join(f"<a{n}/>" for n in range(11_000))],
        ids=["tags in tags", "names of tags"],
    )
    def test_what_the_parser_would_keep_has_an_end(self, tmp_path: Path, rows: str) -> None:
        assert refused(workbook(tmp_path / "items.xlsx", rows)) == "damaged"

    def test_no_more_strings_are_kept_than_fit(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(xlsx_strings, "_MOST_STRINGS", 899)

        assert refused(many_strings(tmp_path / "items.xlsx")) == "unpacks_to_too_much"

    def test_styles_have_an_end_too(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(xlsx_rows, "_MOST_BYTES", 500)

        assert refused(many_strings(tmp_path / "items.xlsx")) == "unpacks_to_too_much"

    def test_who_looks_on_can_end_what_has_no_rows(self, tmp_path: Path) -> None:
        path = workbook(tmp_path / "items.xlsx", "<row/>" * 10_000)

        def look() -> None:
            raise TimeoutError

        with pytest.raises(TimeoutError), open_rows(path, inspect(path), LIMITS, look) as rows:
            next(rows)

    def test_an_archive_may_be_written_as_large_ones_are(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(zipfile, "ZIP64_LIMIT", 10)
            path = workbook(tmp_path / "items.xlsx", '<row r="1"><c><v>1</v></c></row>')

        assert b"PK\x06\x06" in path.read_bytes()
        assert read(path) == [(1, ["1"])]
        monkeypatch.setattr(xlsx_archive, "_DIRECTORY", 100)
        assert refused(path) == "damaged"

    def test_an_entity_is_not_even_read(self, tmp_path: Path) -> None:
        doctype = '<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d SYSTEM "file:///etc/passwd">]>'
        cell = '<row r="1"><c r="A1" t="str"><v>&b;&d;</v></c></row>'
        parts = {"xl/worksheets/sheet1.xml": sheet(cell, before=doctype)}

        assert refused(workbook(tmp_path / "items.xlsx", parts=parts)) == "damaged"

    @pytest.mark.parametrize(
        "rows",
        [
            '<row r="2"/><row r="1"/>',
            '<row r="99999999999"/>',
            '<row r="-1"/>',
            '<row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>1</v></c></row>',
            '<row r="1"><c r="A1" t="s"><v>7</v></c></row>',
            '<row r="1"><c r="A1"',
        ],
    )
    def test_what_makes_no_sense_is_refused(self, tmp_path: Path, rows: str) -> None:
        assert refused(workbook(tmp_path / "items.xlsx", rows)) == "damaged"

    def test_too_many_columns_are_told_by_their_row(self, tmp_path: Path) -> None:
        rows = '<row r="3"><c r="ZZ3"><v>1</v></c></row>'

        assert refused(workbook(tmp_path / "items.xlsx", rows)) == "too_many_columns"

    @pytest.mark.parametrize("name", list(PARTS)[1:])
    def test_a_part_that_is_missing_or_no_xml_is_refused(self, tmp_path: Path, name: str) -> None:
        broken = workbook(tmp_path / "broken.xlsx", parts={name: "no XML"})
        assert refused(broken) == "damaged"
        without = tmp_path / "without.xlsx"
        with zipfile.ZipFile(broken) as whole, zipfile.ZipFile(without, "w") as archive:
            for part in whole.namelist():
                if part != name:
                    archive.writestr(part, whole.read(part))
        assert refused(without) == "damaged"

    def test_wherever_it_is_cut_it_is_refused(self, tmp_path: Path) -> None:
        content = workbook(tmp_path / "items.xlsx", '<row r="1"><c><v>1</v></c></row>').read_bytes()
        cut = tmp_path / "cut.xlsx"
        for length in range(4, len(content), 97):
            cut.write_bytes(content[:length])
            assert refused(cut) == "damaged", length
