"""What every store does with rows, asked of all of them: exactly once, whole, or not at all."""

import pytest

from app.lib.tracelog.schema import API_LOGS, TASK_PROGRESS_LOGS, Row
from app.lib.tracelog.store.store import Batch, Inserted, RowRejected, Store
from tests.lib.tracelog.rows import api_row, stored
from tests.lib.tracelog.store.any_store import ROW, ROW_ID, STEP


def with_id(row: Row, row_id: int) -> Row:
    return (row_id, *row[1:])


# --- rows -----------------------------------------------------------------------------------


def test_rows_of_both_tables_come_back_as_they_were(store: Store) -> None:
    requests = [api_row(f"row {n}") for n in range(250)]

    inserted = store.insert(Batch({API_LOGS: requests, TASK_PROGRESS_LOGS: [STEP]}))

    assert inserted == Inserted(written=251)
    assert stored(store) == requests
    assert stored(store, TASK_PROGRESS_LOGS) == [STEP]


@pytest.mark.parametrize(
    "text",
    [
        "\x00",
        "a\x00b",
        "\r\n\t\x0b\x7f\x85\u2028\u2029\ufeff",
        "日本語 😀 \U0010ffff",
        "'; DROP TABLE api_logs; --",
        '=1+1,"quoted","",\\n\\u0041\\',
        "1e999",
        "null",
    ],
)
def test_any_text_comes_back_as_it_was(store: Store, text: str) -> None:
    row = with_id(STEP, ROW_ID)
    row = (*row[:7], text, text, *row[9:])

    store.insert(Batch({TASK_PROGRESS_LOGS: [row]}))
    again = store.insert(Batch({TASK_PROGRESS_LOGS: [row]}))

    assert stored(store, TASK_PROGRESS_LOGS) == [row]
    assert again == Inserted(known=1)


@pytest.mark.parametrize("number", [0, -1, 2**53 + 1, 2**63 - 1, -(2**63)])
def test_integers_of_64_bits_come_back_exactly(store: Store, number: int) -> None:
    row = api_row()
    row = (*row[:8], number, row[9], number, row[11])

    store.insert(Batch({API_LOGS: [row]}))

    assert stored(store) == [row]


def test_a_row_with_megabytes_in_it_arrives(store: Store) -> None:
    big = api_row()
    big = (
        *big[:4],
        '"' + "x" * 900_000 + '"',
        '"' + "é" * 450_000 + '"',
        200,
        "1" * 900_000,
        *big[8:],
    )
    rows = [api_row("before"), big, api_row("after")]

    store.insert(Batch({API_LOGS: rows}))
    again = store.insert(Batch({API_LOGS: rows}))

    assert sorted(stored(store)) == sorted(rows)
    assert again == Inserted(known=3)


def test_an_empty_batch_changes_nothing(store: Store) -> None:
    assert store.insert(Batch({API_LOGS: []})) == Inserted()


# --- exactly once ---------------------------------------------------------------------------


def test_a_batch_that_is_sent_again_is_known(store: Store) -> None:
    batch = Batch({API_LOGS: [api_row(f"{n}") for n in range(120)], TASK_PROGRESS_LOGS: [STEP]})

    store.insert(batch)

    assert store.insert(batch) == Inserted(known=121)
    assert len(stored(store)) == 120


def test_of_a_batch_that_is_half_known_the_other_half_is_written(store: Store) -> None:
    rows = [api_row(f"{n}") for n in range(10)]
    store.insert(Batch({API_LOGS: rows[:5]}))

    assert store.insert(Batch({API_LOGS: rows})) == Inserted(written=5, known=5)
    assert stored(store) == rows


def test_two_rows_with_one_id_both_survive_and_stay_two(store: Store) -> None:
    first, second = api_row("first", row_id=ROW_ID), api_row("second", row_id=ROW_ID)
    store.insert(Batch({API_LOGS: [first]}))

    inserted = store.insert(Batch({API_LOGS: [second]}))
    again = [store.insert(Batch({API_LOGS: rows})) for rows in ([first], [second], [first, second])]

    assert inserted == Inserted(written=1, moved=((ROW_ID, ROW_ID + 1),))
    assert [(each.written, each.known) for each in again] == [(0, 1), (0, 1), (0, 2)]
    assert stored(store) == [first, with_id(second, ROW_ID + 1)]


def test_rows_with_one_id_in_one_batch_all_survive_in_any_order_of_sending(store: Store) -> None:
    rows = [api_row(f"{n}", row_id=ROW_ID + n // 3) for n in range(9)]

    store.insert(Batch({API_LOGS: rows}))
    once = stored(store)
    for part in (rows[::-1], rows[4:], rows[:5], [rows[8]]):
        store.insert(Batch({API_LOGS: part}))

    assert {row[7] for row in once} == {row[7] for row in rows}
    assert len(once) == 9
    assert stored(store) == once


def test_the_same_row_twice_in_one_batch_is_one_row(store: Store) -> None:
    row = api_row()

    assert store.insert(Batch({API_LOGS: [row, row]})) == Inserted(written=1, known=1)
    assert stored(store) == [row]


def test_a_row_that_moved_gives_way_to_nobody(store: Store) -> None:
    first, moved = api_row("first", row_id=ROW_ID), api_row("moved", row_id=ROW_ID)
    late = api_row("late", row_id=ROW_ID + 1)
    for row in (first, moved, late, moved, late):
        store.insert(Batch({API_LOGS: [row]}))

    assert stored(store) == [first, with_id(moved, ROW_ID + 1), with_id(late, ROW_ID + 2)]


def test_a_row_that_moved_by_several_ids_is_told_once(store: Store) -> None:
    rows = [api_row(text, row_id=ROW_ID) for text in ("first", "second", "third")]
    moved = [store.insert(Batch({API_LOGS: [row]})).moved for row in rows]

    assert moved == [(), ((ROW_ID, ROW_ID + 1),), ((ROW_ID, ROW_ID + 2),)]


# --- rows that cannot be stored -------------------------------------------------------------


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param((ROW[0], None, *ROW[2:]), id="required value missing"),
        pytest.param((*ROW[:8], 2**63, *ROW[9:]), id="integer too large"),
        pytest.param((*ROW[:8], -(2**63) - 1, *ROW[9:]), id="integer too small"),
        pytest.param((*ROW[:7], '"\ud800"', *ROW[8:]), id="lone surrogate"),
        pytest.param((2**63, *ROW[1:]), id="id too large"),
        pytest.param(("abc", *ROW[1:]), id="id no integer"),
    ],
)
def test_a_row_that_cannot_be_stored_keeps_the_whole_batch_out(store: Store, bad: Row) -> None:
    good = api_row("good")

    with pytest.raises(RowRejected):
        store.insert(Batch({TASK_PROGRESS_LOGS: [STEP], API_LOGS: [good, bad]}))

    assert stored(store) == []
    assert stored(store, TASK_PROGRESS_LOGS) == []


def test_a_bad_row_beside_known_ones_is_still_told(store: Store) -> None:
    good = api_row("good")
    store.insert(Batch({API_LOGS: [good]}))

    with pytest.raises(RowRejected):
        store.insert(Batch({API_LOGS: [good, (ROW[0], None, *ROW[2:])]}))
