"""Rows of the first sheet of an `.xlsx` file, read in pieces.

The usual libraries keep all strings of a workbook in memory: some 450 MB for a million rows.
"""

import posixpath
import re
from collections.abc import Callable, Generator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from app.lib.table_problems import Row, TableLimits, TableProblem
from app.lib.xlsx_archive import Archive, Attributes, Look, XmlPart, open_archive
from app.lib.xlsx_strings import SharedStrings, TextOf

_BOOK: Final = "xl/workbook.xml"
_RELATIONS: Final = "xl/_rels/workbook.xml.rels"
_MOST_STYLES: Final = 100_000
_MOST_SHEETS: Final = 10_000
_LONGEST_NAME: Final = 1000
_MOST_BYTES: Final = 1 << 25
"""Of a part that is read as a whole."""

_MOST_ROWS: Final = 1_048_576
_MOST_PIECES: Final = 64
"""Of the text of a cell, as the parser hands it over: some thousand characters each."""

_EXACT_DIGITS: Final = 1e15

# The formats that workbooks do not spell out; the later ones are those of Japanese Excel.
_DATE_FORMATS: Final = frozenset({*range(14, 18), 22, *range(27, 37), *range(50, 59)})
_QUOTED: Final = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.')
_DAY_OR_YEAR: Final = re.compile(r"[dye]", re.IGNORECASE)
_EXPONENT: Final = re.compile(r"E[+-]", re.IGNORECASE)
_LAST_DAY: Final = 2_958_466
_LEAP_DAY_THAT_WAS_NOT: Final = 60


def xlsx_rows(path: Path, limits: TableLimits, look: Look) -> Generator[Row]:
    """All rows that have any content. Raises `TableProblem`."""
    with open_archive(path, limits.unpacked_bytes, look) as archive:
        book = _Book(archive)
        with closing(SharedStrings(archive, book.strings)) as strings:
            sheet = _Sheet(book, strings, limits.columns)
            part = XmlPart(archive, book.sheet, sheet.start, sheet.end, sheet.text)
            with closing(part.parse()) as pieces:
                for _ in pieces:
                    yield from sheet.rows
                    sheet.rows.clear()


class _Book:
    """Where the parts are, and which styles are dates."""

    def __init__(self, archive: Archive) -> None:
        self._sheets: list[tuple[str, str]] = []
        self._parts: dict[str, tuple[str, str]] = {}
        self.counts_from_1904 = False
        for name, start in ((_BOOK, self._book_tag), (_RELATIONS, self._relation_tag)):
            _read(archive, name, start)
        self.sheet = self._first_sheet()
        by_kind = dict(self._parts.values())
        self.strings = by_kind.get("sharedStrings")
        self._date_formats = set(_DATE_FORMATS)
        self._in_styles = False
        self.styles_with_dates: list[bool] = []
        if styles := by_kind.get("styles"):
            _read(archive, styles, self._style_tag, self._style_end)

    def _first_sheet(self) -> str:
        shown = [sheet for sheet in self._sheets if sheet[0] == "visible"]
        for _, relation in shown or self._sheets:
            kind, part = self._parts.get(relation, ("", ""))
            if kind == "worksheet":
                return part
        raise TableProblem("damaged")

    def _book_tag(self, tag: str, attributes: Attributes) -> None:
        if tag == "sheet" and len(self._sheets) < _MOST_SHEETS:
            state, relation = attributes.get("state", "visible"), _local(attributes, "id")
            self._sheets.append((state[:_LONGEST_NAME], relation[:_LONGEST_NAME]))
        elif tag == "workbookPr":
            self.counts_from_1904 = attributes.get("date1904") in {"1", "true"}

    def _relation_tag(self, tag: str, attributes: Attributes) -> None:
        if tag == "Relationship" and len(self._parts) < _MOST_SHEETS:
            name, kind, target = (
                attributes.get(key, "")[:_LONGEST_NAME] for key in ("Id", "Type", "Target")
            )
            part = posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")
            self._parts[name] = (kind.rpartition("/")[2], part)

    def _style_tag(self, tag: str, attributes: Attributes) -> None:
        if tag == "numFmt":
            is_date = _is_date(attributes.get("formatCode", ""))
            if is_date and len(self._date_formats) < _MOST_STYLES:
                self._date_formats.add(_number(attributes.get("numFmtId")))
        elif tag == "cellXfs":
            self._in_styles = True
        elif tag == "xf" and self._in_styles:
            if len(self.styles_with_dates) > _MOST_STYLES:
                raise TableProblem("damaged")
            number = _number(attributes.get("numFmtId", "0"))
            self.styles_with_dates.append(number in self._date_formats)

    def _style_end(self, tag: str) -> None:
        if tag == "cellXfs":
            self._in_styles = False


class _Sheet:
    """Takes the tags of a sheet and leaves its `rows`."""

    def __init__(self, book: _Book, strings: SharedStrings, most_columns: int) -> None:
        self.rows: list[Row] = []
        self._book = book
        self._strings = strings
        self._most_columns = most_columns
        self._number = 0
        self._cells: list[str] = []
        self._column = 0
        self._kind = "n"
        self._style = 0
        self._value: list[str] = []
        self._in_value = False
        self._inline = TextOf()

    def start(self, tag: str, attributes: Attributes) -> None:
        if tag == "c":
            self._column = _column(attributes.get("r"), self._column)
            self._kind = attributes.get("t", "n")
            self._style = _number(attributes.get("s", "0"))
            self._value.clear()
            self._inline.clear()
        elif tag == "v":
            self._in_value = True
        elif tag == "row":
            number = _number(attributes.get("r", str(self._number + 1)))
            if not self._number < number <= _MOST_ROWS:
                raise TableProblem("damaged")
            self._number, self._column, self._cells = number, 0, []
        else:
            self._inline.start(tag)

    def end(self, tag: str) -> None:
        if tag == "v":
            self._in_value = False
        elif tag == "c":
            self._add(self._text_of_cell())
        elif tag == "row":
            if self._cells:
                self.rows.append((self._number, self._cells))
        else:
            self._inline.end(tag)

    def text(self, text: str) -> None:
        if self._in_value:
            self._value.append(text)
            if len(self._value) > _MOST_PIECES:
                raise TableProblem("damaged")
        else:
            self._inline.add(text)

    def _add(self, text: str) -> None:
        if not text:
            return
        if self._column > self._most_columns:
            raise TableProblem("too_many_columns", row=self._number, limit=self._most_columns)
        missing = self._column - 1 - len(self._cells)
        if missing < 0:
            raise TableProblem("damaged")
        self._cells.extend([""] * missing)
        self._cells.append(text)

    def _text_of_cell(self) -> str:
        value = "".join(self._value)
        match self._kind:
            case "s":
                return self._strings[_number(value)] if value else ""
            case "inlineStr":
                return str(self._inline)
            case "b":
                return {"1": "TRUE", "0": "FALSE"}.get(value, value)
            case "n" if value:
                return self._number_or_date(value)
            case _:
                return value

    def _number_or_date(self, value: str) -> str:
        try:
            number = float(value)
        except ValueError:
            return value
        styles = self._book.styles_with_dates
        is_date = self._style < len(styles) and styles[self._style]
        if is_date and 0 < number < _LAST_DAY:
            return _date(number, counts_from_1904=self._book.counts_from_1904)
        if number.is_integer() and abs(number) < _EXACT_DIGITS:
            return str(int(number))
        return repr(number)


def _read(
    archive: Archive,
    name: str,
    start: Callable[[str, Attributes], None],
    end: Callable[[str], object] = str,
) -> None:
    for _ in XmlPart(archive, name, start, end, most_bytes=_MOST_BYTES).parse():
        pass


def _local(attributes: Attributes, name: str) -> str:
    """An attribute that has some prefix."""
    return next((value for key, value in attributes.items() if key.endswith(f":{name}")), "")


def _number(text: str | None) -> int:
    if text is None or not text.isascii() or not text.isdigit():
        raise TableProblem("damaged")
    return int(text[:10])


def _column(reference: str | None, before: int) -> int:
    """The column of a cell such as `AB12`, from 1."""
    if reference is None:
        return before + 1
    column = 0
    for letter in reference[:4]:
        if not "A" <= letter <= "Z":
            break
        column = column * 26 + ord(letter) - 64
    if column <= before:
        raise TableProblem("damaged")
    return column


def _is_date(code: str) -> bool:
    """Whether a format shows days or years."""
    bare = _EXPONENT.sub("", _QUOTED.sub("", code[:1000])).partition(";")[0]
    return _DAY_OR_YEAR.search(bare) is not None and "general" not in bare.lower()


def _date(serial: float, *, counts_from_1904: bool) -> str:
    if counts_from_1904:
        first = datetime(1904, 1, 1)  # a workbook's times have no zone
    elif serial >= _LEAP_DAY_THAT_WAS_NOT:
        first = datetime(1899, 12, 30)
    else:
        first = datetime(1899, 12, 31)
    moment = first + timedelta(seconds=round(serial * 86_400))
    return f"{moment:%Y-%m-%d}" if serial.is_integer() else f"{moment:%Y-%m-%d %H:%M:%S}"
