"""Damage in a file costs the rows it touched and not their neighbours."""

from pathlib import Path
from typing import cast

import pytest

from app.lib.tracelog import codec
from app.lib.tracelog.bulk_decode import decode_lines
from app.lib.tracelog.journal import reader
from app.lib.tracelog.rows import make_row
from app.lib.tracelog.schema import Row
from tests.lib.tracelog.rows import API, ROW_ID, api_row, read_all

HEADER = codec.header(API)
TEXTS = ['first, "quoted"\nline', "日本語" * 20, "third"]
# The ids are always the same ones: they stand in the names of tests, by which one runs it again.
ROWS = [api_row(text, row_id=ROW_ID + n) for n, text in enumerate(TEXTS)]
LINES = [codec.encode(API, row) for row in ROWS]


def write(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "api_logs.csv"
    path.write_bytes(data)
    return path


def test_a_row_that_is_still_being_written_is_left_for_later(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + LINES[0] + LINES[1][:-1])

    first = reader.read(path, API)
    path.write_bytes(HEADER + LINES[0] + LINES[1])
    second = reader.read(path, API, first.next_offset)

    assert first.rows == ROWS[:1]
    assert second.rows == ROWS[1:2]
    assert not first.bad
    assert not second.bad


def test_a_file_cut_at_any_byte_gives_all_whole_rows(tmp_path: Path) -> None:
    data = HEADER + b"".join(LINES)
    for cut in range(len(HEADER), len(data)):
        write(tmp_path, data[:cut])
        whole = data[:cut].count(b"\n") - 1
        rows, bad = read_all(tmp_path)
        assert rows == ROWS[:whole]
        assert not bad


def test_any_torn_row_glued_to_a_whole_one_costs_only_itself(tmp_path: Path) -> None:
    for cut in range(1, len(LINES[1])):
        write(tmp_path, HEADER + LINES[0] + LINES[1][:cut] + LINES[2])
        rows, bad = read_all(tmp_path)
        if LINES[1][:cut] + b"\n" == LINES[1]:
            # The line end alone was lost: both rows are whole, and only the last can be told apart.
            assert ROWS[2] in rows
            continue
        assert rows == [ROWS[0], ROWS[2]]
        assert [span.raw for span in bad] == [LINES[1][:cut]]


def test_a_torn_row_closed_by_the_next_writer_is_one_bad_line(tmp_path: Path) -> None:
    for cut in range(1, len(LINES[1]) - 1):
        write(tmp_path, HEADER + LINES[0] + LINES[1][:cut] + b"\n" + LINES[2])
        rows, bad = read_all(tmp_path)
        assert rows == [ROWS[0], ROWS[2]]
        assert [span.raw for span in bad] == [LINES[1][:cut]]


@pytest.mark.parametrize("damage", [b"\x00" * 4096, b"\xff\xfe", b'"', b"garbage, with, commas\n"])
def test_damage_mid_file_leaves_the_neighbours_intact(tmp_path: Path, damage: bytes) -> None:
    write(tmp_path, HEADER + LINES[0] + damage + LINES[1] + LINES[2])

    rows, bad = read_all(tmp_path)

    assert rows == ROWS
    assert [span.raw for span in bad] == [damage.rstrip(b"\n")]
    assert all(span.reason for span in bad)


def test_ids_within_a_line_that_begin_no_row_leave_it_one_bad_line(tmp_path: Path) -> None:
    damage = LINES[1][:40] + b'"see 1700000000000000000, and 1700000000000000001,"\n'
    write(tmp_path, HEADER + LINES[0] + damage + LINES[2])

    rows, bad = read_all(tmp_path)

    assert rows == [ROWS[0], ROWS[2]]
    assert [span.raw for span in bad] == [damage[:-1]]


def test_empty_lines_are_neither_rows_nor_damage(tmp_path: Path) -> None:
    write(tmp_path, HEADER + b"\n" + LINES[0] + b"\n\r\n" + LINES[1])

    assert read_all(tmp_path) == (ROWS[:2], [])


def test_offsets_of_rows_and_damage_add_up_to_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + LINES[0] + b"torn" + LINES[1] + b"bad line\n" + LINES[2])

    chunk = reader.read(path, API)

    assert chunk.row_ends[-1] == chunk.next_offset == path.stat().st_size
    for span in chunk.bad:
        assert path.read_bytes()[span.start : span.end].rstrip(b"\n") == span.raw


def test_a_line_longer_than_a_step_is_read_whole(tmp_path: Path) -> None:
    large = api_row("x" * 200_000)
    path = write(tmp_path, HEADER + codec.encode(API, large) + LINES[0])

    chunk = reader.read(path, API, len(HEADER), max_bytes=1_000)

    assert chunk.rows[0] == large
    assert reader.read(path, API, chunk.row_ends[0]).rows == ROWS[:1]


def test_the_tail_of_a_file_nobody_writes_to_is_taken(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + LINES[0] + LINES[1][:-1])

    chunk = reader.read(path, API, final=True)

    assert chunk.rows == ROWS[:2]
    assert chunk.next_offset == path.stat().st_size


def test_segments_are_listed_oldest_first_and_known_by_their_first_row(tmp_path: Path) -> None:
    write(tmp_path, HEADER + LINES[2])
    for row, line in zip(ROWS[:2], LINES[:2], strict=True):
        (tmp_path / f"api_logs.{row[0]}.csv").write_bytes(HEADER + line)
    (tmp_path / "api_logs.backup.csv").write_bytes(b"not ours")

    segments = reader.list_segments(tmp_path, API)

    assert [s.first_id for s in segments] == [row[0] for row in ROWS]
    assert [s.sealed for s in segments] == [True, True, False]


def test_only_files_are_segments(tmp_path: Path) -> None:
    (tmp_path / "api_logs.csv").mkdir()
    (tmp_path / f"api_logs.{ROWS[0][0]}.csv").mkdir()

    assert reader.list_segments(tmp_path, API) == []


def test_a_link_that_leads_nowhere_hides_no_other_file(tmp_path: Path) -> None:
    link = tmp_path / f"api_logs.{ROWS[0][0]}.csv"
    link.symlink_to(link)
    for row, line in zip(ROWS[1:], LINES[1:], strict=True):
        (tmp_path / f"api_logs.{row[0]}.csv").write_bytes(HEADER + line)

    assert [s.first_id for s in reader.list_segments(tmp_path, API)] == [r[0] for r in ROWS[1:]]


def test_rows_of_a_file_that_an_editor_has_saved_are_read(tmp_path: Path) -> None:
    lines = [codec.header(API), *(codec.encode(API, row) for row in ROWS)]
    mark, data = b"\xef\xbb\xbf", b"".join(lines)
    write(tmp_path, mark + data.replace(b"\n", b"\r\n") + lines[1][:40] + lines[2])

    rows, bad = read_all(tmp_path)

    assert rows == [*ROWS, ROWS[1]]
    assert [span.raw for span in bad] == [lines[1][:40]]


@pytest.mark.parametrize("before", [b"", LINES[1][:50]])
@pytest.mark.parametrize("behind", [b"", LINES[0][-30:-1], LINES[2][:-1]])
@pytest.mark.parametrize("final", [True, False])
def test_of_a_large_hole_only_the_beginning_is_kept(
    tmp_path: Path, before: bytes, behind: bytes, final: bool
) -> None:
    hole = before + b"\0" * (3 << 20)
    end = b"" if final else b"\n" + LINES[1]
    path = write(tmp_path, HEADER + LINES[0] + hole + behind + end)
    is_whole = behind == LINES[2][:-1]

    rows: list[Row] = []
    bad: list[reader.BadSpan] = []
    offset = 0
    while (chunk := reader.read(path, API, offset, final=final)).next_offset > offset:
        rows, bad, offset = rows + chunk.rows, bad + chunk.bad, chunk.next_offset

    assert rows == [ROWS[0], *([ROWS[2]] if is_whole else []), *([] if final else [ROWS[1]])]
    [span] = bad
    start = len(HEADER + LINES[0])
    line_end = start + len(hole) if is_whole else start + len(hole + behind) + 1
    assert (span.start, span.end) == (start, line_end)
    assert hole.startswith(span.raw)
    assert 0 < len(span.raw) <= 64 * 1024
    assert offset == path.stat().st_size


def test_a_large_row_that_an_editor_has_saved_is_read(tmp_path: Path) -> None:
    row = make_row(
        API,
        {"request_body": "x" * 900_000, "response_body": "y" * 900_000},
        row_id=cast("int", ROWS[0][0]),
        trace_id="t",
        now=1_795_000_000.0,
    )
    write(tmp_path, (HEADER + codec.encode(API, row)).replace(b"\n", b"\r\n"))

    assert read_all(tmp_path) == ([row], [])


def test_an_empty_or_missing_file_has_no_rows(tmp_path: Path) -> None:
    assert reader.list_segments(tmp_path, API) == []
    path = write(tmp_path, b"")

    assert reader.read(path, API).rows == []
    assert reader.first_id_of(path) is None
    assert reader.first_id_of(tmp_path / "missing.csv") is None


def test_a_row_without_its_end_does_not_name_its_file_yet(tmp_path: Path) -> None:
    # A full disk may have it taken back.
    path = write(tmp_path, HEADER + LINES[0][:-1])
    assert reader.first_id_of(path) is None

    write(tmp_path, HEADER + LINES[0])
    assert reader.first_id_of(path) == ROWS[0][0]


def test_a_row_behind_much_damage_names_its_file(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + b"?" * 10_000 + b"\n" + LINES[0])

    assert reader.first_id_of(path) == ROWS[0][0]


def test_a_first_row_larger_than_any_head_names_its_file_too(tmp_path: Path) -> None:
    row = api_row("x" * 200_000)
    path = write(tmp_path, HEADER + codec.encode(API, row))

    assert reader.first_id_of(path) == row[0]


# --- many lines at once ----------------------------------------------------------------------


def one_by_one(data: bytes) -> list[Row] | None:
    try:
        return [codec.decode(API, line) for line in data.split(b"\n")[:-1]]
    except codec.BadLine:
        return None


@pytest.mark.parametrize(
    "text", ["plain", 'a "quoted", text', "日本語\u2028\x00\r\n\\u0041", "\ud800", "'=1+1"]
)
def test_many_lines_at_once_are_the_same_rows_as_one_by_one(text: str) -> None:
    rows = [api_row(text, path=f"/{n}\\{text.encode(errors='replace').decode()}") for n in range(5)]
    data = b"".join(codec.encode(API, row) for row in rows)

    assert decode_lines(API, data) == rows == one_by_one(data)


def test_any_changed_byte_gives_the_same_rows_as_one_by_one_or_none() -> None:
    data = b"".join(LINES)
    for position in range(len(data)):
        for byte in (data[position] ^ 1, 0, ord('"'), ord(","), ord("\\"), ord("-"), 0x80):
            changed = data[:position] + bytes([byte]) + data[position + 1 :]
            rows = decode_lines(API, changed)
            assert rows is None or rows == one_by_one(changed)


@pytest.mark.parametrize("removed", [0, 1])
def test_any_byte_that_was_put_between_or_instead_gives_the_same_rows_or_none(removed: int) -> None:
    rows = [api_row(path='/a"b'), api_row("1, 2")]
    data = b"".join(codec.encode(API, row) for row in rows)
    for position in range(len(data)):
        for byte in (b"", b"\n", b'"', b",", b"9", b"x"):
            changed = data[:position] + byte + data[position + removed :]
            found = decode_lines(API, changed)
            assert found is None or found == one_by_one(changed)


def test_a_header_that_a_second_writer_has_put_into_the_file_is_no_damage(tmp_path: Path) -> None:
    first, second = api_row(), api_row()
    header = codec.header(API)
    path = tmp_path / "api_logs.csv"
    path.write_bytes(header + codec.encode(API, first) + header + codec.encode(API, second))

    assert read_all(tmp_path) == ([first, second], [])


def test_a_header_of_other_columns_or_a_damaged_one_is_no_row_that_is_lost(tmp_path: Path) -> None:
    other = HEADER.replace(b"user_id,", b"user_id,region,")
    path = write(
        tmp_path, other + LINES[0] + HEADER[:20] + b"\n" + LINES[1] + HEADER[:9] + LINES[2]
    )

    chunk = reader.read(path, API)

    assert chunk.rows == ROWS
    assert [span.raw for span in chunk.bad] == [HEADER[:9]]


def test_a_damaged_row_behind_a_piece_of_a_header_lies_in_quarantine(tmp_path: Path) -> None:
    piece = HEADER[:9] + LINES[0][:40]

    chunk = reader.read(write(tmp_path, LINES[1] + piece + b"\n" + LINES[2]), API)

    assert chunk.rows == ROWS[1:]
    assert [span.raw for span in chunk.bad] == [piece]
