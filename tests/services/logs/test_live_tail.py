"""What a live list is given, over a SQLite file."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.lib.tracelog.ids import first_at
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.schemas.log import RequestFilter
from app.services.logs import live_tail
from app.services.logs.live_tail import COUNTED, LATE_SECONDS, SHOWN, Arrivals, LiveTail
from app.services.logs.log_service import LogService
from app.services.logs.store_reader import StoreReader
from tests.services.log_book import LogBook


class Tail:
    """A tail on a store of its own, whose clock is the book's."""

    def __init__(self, folder: Path, **wanted: object) -> None:
        self.store = SQLiteStore(folder / "log.db")
        self.store.migrate()
        self.book = LogBook()
        self.wanted = RequestFilter.model_validate(wanted)
        self.follow(first_at(self.book.now.timestamp()))

    def follow(self, position: int) -> None:
        log = LogService(StoreReader(self.store))
        self.tail = LiveTail(log, self.wanted, position, clock=self.book.clock)

    def requests(self, count: int, *, at_ms: float = 1, path: str = "/items") -> list[str]:
        """So many more, newest first."""
        made = [self.book.after(at_ms).request(path) for _ in range(count)]
        self.book.deliver(self.store)
        for rows in self.book.rows.values():
            rows.clear()
        return made[::-1]

    async def look(self) -> Arrivals:
        return await self.tail.look()


def ids(arrivals: Arrivals) -> list[str]:
    return [line.id for line in arrivals.requests]


async def test_each_request_comes_once_and_filters_hold(tmp_path: Path) -> None:
    tail = Tail(tmp_path, path="/items")
    assert (await tail.look()).count == 0
    first = tail.requests(3)
    tail.requests(2, path="/other")
    assert ids(await tail.look()) == first
    assert ids(await tail.look()) == []
    second = tail.requests(1, at_ms=5000)
    arrivals = await tail.look()
    assert (ids(arrivals), arrivals.count, arrivals.whole) == (second, 1, False)


async def test_a_request_that_was_delivered_late_comes_too(tmp_path: Path) -> None:
    tail = Tail(tmp_path)
    [younger] = tail.requests(1, at_ms=8000)
    assert ids(await tail.look()) == [younger]
    tail.book.now -= timedelta(seconds=5)
    [older] = tail.requests(1)
    tail.book.now += timedelta(seconds=5)
    assert ids(await tail.look()) == [older]


async def test_of_many_the_newest_come_without_a_gap(tmp_path: Path) -> None:
    tail = Tail(tmp_path)
    tail.requests(10)
    await tail.look()
    made = tail.requests(SHOWN + 20)
    arrivals = await tail.look()
    assert arrivals.whole
    assert arrivals.count == SHOWN + 20
    assert ids(arrivals) == made[:SHOWN]
    tail.requests(COUNTED + 5)
    assert (await tail.look()).count == COUNTED


async def test_who_lost_the_stream_is_given_what_was_missed(tmp_path: Path) -> None:
    tail = Tail(tmp_path)
    shown = tail.requests(2, at_ms=200)
    position = (await tail.look()).position
    missed = tail.requests(3, at_ms=60_000)
    tail.follow(position)
    assert ids(await tail.look()) == missed + shown, "what may have been late comes again"
    tail.book.after(1000 * (LATE_SECONDS + 1))
    tail.follow((await tail.look()).position)
    tail.book.after(1000)
    assert ids(await tail.look()) == []


@pytest.mark.parametrize("wanted", [{"status": "2xx"}, {"user": "1", "method": "get"}, {}])
async def test_a_look_reads_no_more_than_what_may_be_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: dict[str, str]
) -> None:
    monkeypatch.setattr(live_tail, "LATE_SECONDS", 1)
    tail = Tail(tmp_path, **wanted)
    tail.requests(30, at_ms=100)
    assert (await tail.look()).count == 30
    tail.book.after(5000)
    await tail.look()
    tail.tail._known.clear()
    assert (await tail.look()).count == 0
