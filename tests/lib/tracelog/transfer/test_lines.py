"""Rows whose quotes have no partner cost no other row, and no more than their share of time."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lib.tracelog.redaction.redactor import Redactor
from app.lib.tracelog.transfer import lines as lines_module
from app.lib.tracelog.transfer.csv_source import CSVSource, GoodRow
from app.lib.tracelog.transfer.lines import Lines
from tests.lib.tracelog.transfer.loading import TOKYO, write

HEADER = "trace_id,endpoint,created_at\n"
ROW = "t,/,2026-11-23 09:00:00\n"


def read(path: Path) -> tuple[list[int], list[int]]:
    """The lines of the good and of the bad rows."""
    good, bad = list[int](), list[int]()
    for found in CSVSource(path, Redactor(), zone=TOKYO):
        (good if isinstance(found, GoodRow) else bad).append(found.line)
    return good, bad


@given(st.lists(st.text('a",', max_size=6), max_size=12))
def test_a_row_is_what_it_would_be_if_the_file_began_with_it(texts: list[str]) -> None:
    whole = [f"{text}\n".encode() for text in texts]
    lines = Lines(io.BytesIO(b"".join(whole)))

    while lines.number < len(whole):
        begin = lines.number
        lines.keep_from(begin + 1)
        rest = csv.reader((each.decode() for each in whole[begin:]), strict=True)
        try:
            expected: list[str] | None = next(rest)
        except csv.Error:
            expected = None
        try:
            found: list[str] | None = next(csv.reader(lines, strict=True))
        except csv.Error:
            found = None
            lines.go_back_to(begin + 2)

        assert found == expected
        assert lines.number == begin + (rest.line_num if found is not None else 1)


def test_rows_that_all_leave_a_quote_open_are_each_looked_at_a_few_times_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "api_logs.csv", HEADER + 'a","\n' * 500 + ROW)
    given_out, give_out = 0, Lines.__next__

    def count(lines: Lines) -> str:
        nonlocal given_out
        given_out += 1
        return give_out(lines)

    monkeypatch.setattr(Lines, "__next__", count)

    assert read(path) == ([502], list(range(2, 502)))
    assert given_out < 4 * 500


def test_of_what_is_longer_than_any_row_no_more_is_read_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lines_module, "MOST_ROW", 1_000)
    lines = Lines(io.BytesIO(b'a","\n' * 1_000))

    lines.keep_from(1)
    with pytest.raises(csv.Error):
        next(csv.reader(lines, strict=True))

    assert lines.position <= 1_005


def test_lines_that_are_next_to_empty_count_with_what_they_take_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lines_module, "MOST_ROW", 10_000)
    lines = Lines(io.BytesIO(b'a,"' + b"\n" * 10_000))

    lines.keep_from(1)
    with pytest.raises(csv.Error):
        next(csv.reader(lines, strict=True))

    assert lines.number < 200


def test_of_a_line_that_is_longer_than_any_row_the_rest_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines_module, "MOST_ROW", 1_000)
    long_line = "t," + "x" * 5_000 + ",2026-11-23 09:00:00\n"
    path = write(tmp_path / "api_logs.csv", HEADER + ROW + long_line + ROW)

    assert read(path) == ([2, 4], [3])
