"""Requests that end together are recorded together, each before its response is whole."""

import asyncio
from collections.abc import Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from app.lib.logger import CSVOnlyLogger
from app.lib.tracelog.capture.asgi import Receive, Scope, Send
from app.lib.tracelog.capture.middleware import CaptureMiddleware
from tests.lib.tracelog.rows import read_all, rows_of_appends

Message = MutableMapping[str, Any]


@pytest.fixture
def logger(tmp_path: Path) -> Iterator[CSVOnlyLogger]:
    logger = CSVOnlyLogger(tmp_path)
    yield logger
    logger.close()


@pytest.fixture
def appends(logger: CSVOnlyLogger, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    return rows_of_appends(monkeypatch)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"] == "/fails":
        raise ValueError("it fails")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok", "more_body": scope["path"] == "/cut"})


class Visitor:
    """Sends a request, and notes whether its row was there before the end of the response."""

    def __init__(self, app: CaptureMiddleware, folder: Path, path: str) -> None:
        self._app = app
        self._folder = folder
        self._path = path
        self.answered = False
        self.row_came_first = False

    async def visit(self) -> None:
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "path": self._path,
            "query_string": b"",
            "headers": [],
        }
        await self._app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            self.answered = True
            self.row_came_first = self._path in paths(self._folder)


def paths(folder: Path) -> list[str]:
    rows, bad = read_all(folder)
    assert not bad
    return [str(row[3]) for row in rows]


def visitors(logger: CSVOnlyLogger, folder: Path, *wanted: str) -> list[Visitor]:
    recorded = CaptureMiddleware(app, logger.recorder)
    return [Visitor(recorded, folder, path) for path in wanted]


async def all_at_once(visitors: list[Visitor]) -> list[BaseException | None]:
    return await asyncio.gather(*(each.visit() for each in visitors), return_exceptions=True)


def test_requests_that_end_in_one_turn_are_appended_at_once(
    logger: CSVOnlyLogger, tmp_path: Path, appends: list[int]
) -> None:
    group = visitors(logger, tmp_path, "/a", "/b", "/c")

    assert asyncio.run(all_at_once(group)) == [None, None, None]

    assert appends == [3]
    assert paths(tmp_path) == ["/a", "/b", "/c"]
    assert all(each.row_came_first for each in group)


def test_one_that_fails_has_its_rows_as_well(logger: CSVOnlyLogger, tmp_path: Path) -> None:
    group = visitors(logger, tmp_path, "/a", "/fails", "/c", "/cut")

    found = asyncio.run(all_at_once(group))

    assert [type(each) for each in found] == [type(None), ValueError, type(None), type(None)]
    assert sorted(paths(tmp_path)) == ["/a", "/c", "/cut", "/fails"]


def test_one_alone_is_appended_without_waiting_for_others(
    logger: CSVOnlyLogger, tmp_path: Path, appends: list[int]
) -> None:
    recorded = CaptureMiddleware(app, logger.recorder)
    first, second = (Visitor(recorded, tmp_path, path) for path in ("/a", "/b"))

    asyncio.run(first.visit())
    # It goes through in one step, as nothing is awaited.
    with pytest.raises(StopIteration):
        second.visit().send(None)

    assert second.row_came_first
    assert appends == [1, 1]


def test_those_that_come_together_after_many_alone_are_appended_at_once(
    logger: CSVOnlyLogger, tmp_path: Path, appends: list[int]
) -> None:
    alone = [f"/{number}" for number in range(16)]
    group = visitors(logger, tmp_path, *alone, "/a", "/b", "/c")

    async def visit() -> None:
        for each in group[:16]:
            await each.visit()
        await all_at_once(group[16:])

    asyncio.run(visit())

    assert appends == [1] * 16 + [3]
    assert all(each.row_came_first for each in group)


@pytest.mark.parametrize("many", [2, 3, 5, 15, 16, 17, 30, 31, 32, 48])
def test_those_that_always_come_together_are_appended_at_once_after_one_alone(
    logger: CSVOnlyLogger, tmp_path: Path, appends: list[int], many: int
) -> None:
    group = visitors(logger, tmp_path, *(f"/{number}" for number in range(many)))

    async def visit() -> None:
        await group[0].visit()
        for _ in range(2 + 64 // many):
            await all_at_once(group)

    asyncio.run(visit())

    assert appends[-1] == many


def test_a_request_that_is_cancelled_meanwhile_takes_no_row_with_it(
    logger: CSVOnlyLogger, tmp_path: Path
) -> None:
    group = visitors(logger, tmp_path, "/a", "/b", "/c")

    async def visit() -> None:
        tasks = [asyncio.create_task(each.visit()) for each in group]
        await asyncio.sleep(0)
        tasks[0].cancel()
        await asyncio.wait(tasks)

    asyncio.run(visit())

    assert paths(tmp_path) == ["/a", "/b", "/c"]
    assert [each.answered for each in group] == [False, True, True]


def test_an_event_loop_that_ends_meanwhile_leaves_the_row(
    logger: CSVOnlyLogger, tmp_path: Path
) -> None:
    [left, later] = visitors(logger, tmp_path, "/left", "/later")

    async def leave() -> None:
        visit = left.visit()
        visit.send(None)
        assert paths(tmp_path) == []
        visit.close()

    asyncio.run(leave())
    asyncio.run(later.visit())

    assert paths(tmp_path) == ["/left", "/later"]


def test_a_group_that_nobody_writes_keeps_no_other_loop_waiting(
    logger: CSVOnlyLogger, tmp_path: Path
) -> None:
    [stuck, free] = visitors(logger, tmp_path, "/stuck", "/free")
    held = []

    async def stop_in_the_middle() -> None:
        visit = stuck.visit()
        visit.send(None)
        held.append(visit)

    asyncio.run(stop_in_the_middle())
    asyncio.run(free.visit())

    assert free.row_came_first
    assert paths(tmp_path) == ["/free"]
    held.pop().close()
    assert paths(tmp_path) == ["/free", "/stuck"]


def test_threads_with_event_loops_of_their_own_lose_and_mix_nothing(
    logger: CSVOnlyLogger, tmp_path: Path
) -> None:
    wanted = [f"/{number}" for number in range(160)]
    group = visitors(logger, tmp_path, *wanted)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: asyncio.run(all_at_once(group[n::8])), range(8)))

    assert sorted(paths(tmp_path)) == sorted(wanted)
    assert all(each.row_came_first for each in group)


def test_a_loop_that_is_not_asyncios_has_its_rows_at_once(
    logger: CSVOnlyLogger, tmp_path: Path
) -> None:
    [visitor] = visitors(logger, tmp_path, "/a")

    with pytest.raises(StopIteration):
        visitor.visit().send(None)

    assert visitor.row_came_first
