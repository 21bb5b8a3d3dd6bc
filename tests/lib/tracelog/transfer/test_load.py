"""Imports into stores in any state."""

from pathlib import Path

import pytest

from app.lib.tracelog import codec
from app.lib.tracelog.schema import API_LOGS
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Batch, Inserted, StoreUnavailable
from app.lib.tracelog.transfer.csv_source import BadRow
from app.lib.tracelog.transfer.load import Loaded
from tests.lib.tracelog.picky_store import PickyStore
from tests.lib.tracelog.rows import API, api_row
from tests.lib.tracelog.transfer.loading import put, write


def test_a_row_that_the_store_rejects_is_told_and_the_others_arrive(tmp_path: Path) -> None:
    store = PickyStore(tmp_path / "trace.db")
    store.migrate()
    lines = [f"t,GET,/{'poison' if n == 70 else n},2026-11-23 12:00:00" for n in range(200)]
    text = "\n".join(["trace_id,method,endpoint,created_at", *lines])

    loaded, bad = put(store, write(tmp_path / "api_logs.csv", text))

    assert (loaded.written, bad) == (199, [BadRow(72, "poison")])
    store.close()


def test_a_store_that_does_not_answer_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    class Tired(SQLiteStore):
        failures = 3

        def insert(self, batch: Batch) -> Inserted:
            if self.failures:
                self.failures -= 1
                raise StoreUnavailable("gone")
            return super().insert(batch)

    pauses: list[float] = []
    store = Tired(tmp_path / "trace.db")
    store.migrate()
    path = write(tmp_path / "api_logs.csv", "endpoint,created_at\n/,2026-11-23 12:00:00\n")

    assert put(store, path, sleep=pauses.append)[0].written == 1
    assert len(pauses) == 3

    store.failures = 1000
    with pytest.raises(StoreUnavailable):
        put(store, path, sleep=pauses.append)
    assert len(pauses) == 8
    store.close()


def test_a_row_whose_id_another_has_arrives_under_another_one(
    file_store: SQLiteStore, tmp_path: Path
) -> None:
    row = api_row("of this file")
    file_store.insert(Batch({API_LOGS: [api_row("of the store", row_id=int(str(row[0])))]}))
    (tmp_path / "api_logs.csv").write_bytes(codec.header(API) + codec.encode(API, row))

    assert put(file_store, tmp_path / "api_logs.csv") == (Loaded(written=1, moved=1), [])
    assert put(file_store, tmp_path / "api_logs.csv") == (Loaded(known=1, moved=1), [])


@pytest.mark.parametrize(("count", "size", "sent"), [(1100, 1, [500, 500, 100]), (5, 4, [3, 2])])
def test_rows_are_sent_in_batches_that_every_store_takes(
    tmp_path: Path, count: int, size: int, sent: list[int]
) -> None:
    class Counting(SQLiteStore):
        def insert(self, batch: Batch) -> Inserted:
            batches.append(len(batch))
            return super().insert(batch)

    batches: list[int] = []
    told: list[int] = []
    store = Counting(tmp_path / "trace.db")
    store.migrate()
    rows = [api_row("x" * (size * 100_000 if size > 1 else 1)) for _ in range(count)]
    lines = b"".join(codec.encode(API, row) for row in rows)
    (tmp_path / "api_logs.csv").write_bytes(codec.header(API) + lines)

    put(store, tmp_path / "api_logs.csv", watch=lambda loaded: told.append(loaded.written))

    assert batches == sent
    assert told == [sum(sent[: n + 1]) for n in range(len(sent))]
    store.close()
