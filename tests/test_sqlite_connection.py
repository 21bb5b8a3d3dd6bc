"""What goes to the thread of a SQLite connection, and what comes back."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiosqlite
import anyio
import pytest
from sqlalchemy import text

from app.database import Database
from tests.support.sqlite import locked

pytestmark = pytest.mark.anyio

MANY = 2500
NUMBERS = text(
    "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :many)"
    " SELECT n FROM numbers"
)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{(tmp_path / 'app.db').as_posix()}")
    async with database.session() as session:
        await session.execute(text("CREATE TABLE notes (n INTEGER)"))
    yield database
    await database.close()


async def notes(database: Database) -> list[int]:
    async with database.session() as session:
        return list(await session.scalars(text("SELECT n FROM notes ORDER BY n")))


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Each way to a thread and back."""
    gone: list[object] = []
    original = aiosqlite.Connection._execute

    async def count(self: aiosqlite.Connection, *given: object, **more: object) -> object:
        gone.append(given)
        return await original(self, *given, **more)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(aiosqlite.Connection, "_execute", count)
    return gone


async def gone_for(word: str, trips: list[object]) -> None:
    with anyio.fail_after(60):
        while True:
            if any(word in str(given) for given in trips):
                return
            await anyio.sleep(0.01)


async def test_a_statement_goes_there_once_and_the_end_of_reading_never(
    database: Database, trips: list[object]
) -> None:
    async with database.session() as session:
        for _ in range(3):
            assert (await session.execute(NUMBERS, {"many": 2})).all() == [(1,), (2,)]
    assert len(trips) == 3


async def test_a_write_goes_there_for_its_beginning_and_its_end_too(
    database: Database, trips: list[object]
) -> None:
    async with database.session() as session:
        await session.execute(text("INSERT INTO notes VALUES (:n)"), [{"n": 1}, {"n": 2}])
    assert len(trips) == 3
    assert await notes(database) == [1, 2]


@pytest.mark.parametrize("many", [0, 1, 999, 1000, 1001, MANY])
async def test_all_rows_come_however_many_and_however_they_are_asked_for(
    database: Database, many: int
) -> None:
    wanted = list(range(1, many + 1)) or [1]
    async with database.session() as session:
        assert list(await session.scalars(NUMBERS, {"many": many})) == wanted
        streamed = await session.stream_scalars(NUMBERS, {"many": many})
        assert [n async for n in streamed] == wanted
        streamed = await session.stream_scalars(NUMBERS, {"many": many})
        assert [n async for part in streamed.partitions(700) for n in part] == wanted
        streamed = await session.stream_scalars(NUMBERS, {"many": many})
        assert await streamed.first() == 1
        await session.execute(text("INSERT INTO notes VALUES (1)"))
    assert await notes(database) == [1]


async def test_rows_of_a_write_come_with_it_and_are_counted(database: Database) -> None:
    async with database.session() as session:
        await session.execute(text("INSERT INTO notes VALUES (1)"))
        changed = await session.execute(text("UPDATE notes SET n = 2 RETURNING n"))
        assert changed.all() == [(2,)]
        gone = await session.execute(text("DELETE FROM notes"))
        assert gone.rowcount == 1  # type: ignore[attr-defined] # a DELETE's result has it


async def test_who_gives_up_waiting_for_a_writer_leaves_nothing_behind(
    database: Database, tmp_path: Path, trips: list[object]
) -> None:
    impatient = Database(database.url.render_as_string(), seconds=1)

    async def write() -> None:
        async with impatient.session() as session:
            await session.execute(text("INSERT INTO notes VALUES (1)"))

    with locked(tmp_path / "app.db"):
        waiting = asyncio.create_task(write())
        await gone_for("BEGIN", trips)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert await notes(database) == []
    await write()
    assert await notes(database) == [1]
    await impatient.close()
