"""The database as the app uses it: transactions, and writers that meet."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError

from app.database import Database, DatabaseURLError, parse_url
from app.models.backup_code import BackupCode
from app.models.user import User
from tests.support.databases import BOTH, Clock, clock, database

__all__ = ["clock", "database"]

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:///data/app.db", "sqlite+aiosqlite"),
        ("sqlite+aiosqlite:////srv/app.db", "sqlite+aiosqlite"),
        ("postgres://u:p@host/db", "postgresql+psycopg"),
        ("postgresql://u:p@host:6543/db?sslmode=require", "postgresql+psycopg"),
        ("postgresql+asyncpg://host/db", "postgresql+psycopg"),
    ],
)
def test_urls_as_people_have_them_get_the_apps_driver(url: str, driver: str) -> None:
    parsed = parse_url(url)
    assert parsed.drivername == driver
    if "sslmode" in url:
        assert parsed.query == {"sslmode": "require"}
        assert parsed.password == "p"


@pytest.mark.parametrize(
    "url", ["", "data/app.db", "mysql://host/db", "sqlite://", "sqlite:///:memory:"]
)
def test_other_urls_are_refused_with_a_reason(url: str) -> None:
    with pytest.raises(DatabaseURLError, match=r"sqlite|SQLite"):
        parse_url(url)


async def add_user(database: Database, clock: Clock, name: str) -> int:
    async with database.system_session() as session:
        user = User(email=f"{name}@example.com", name=name, created_at=clock())
        session.add(user)
    return user.id


async def names(database: Database) -> list[str]:
    async with database.system_session() as session:
        return list(await session.scalars(select(User.name).order_by(User.id)))


async def test_a_session_commits_at_its_end_or_not_at_all(database: Database, clock: Clock) -> None:
    await add_user(database, clock, "hana")

    async def fail() -> None:
        async with database.system_session() as session:
            session.add(User(email="taro@example.com", name="taro", created_at=clock()))
            await session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await names(database) == ["hana"]


@pytest.mark.parametrize(
    "write",
    [
        "UPDATE users SET name = 'changed'",
        "WITH new(name) AS (VALUES ('changed')) UPDATE users SET name = (SELECT name FROM new)",
        "with them as (select id from users)\ndelete from users where id in (select id from them)",
    ],
)
async def test_a_write_is_undone_however_it_begins(
    database: Database, clock: Clock, write: str
) -> None:
    await add_user(database, clock, "hana")

    async def fail() -> None:
        async with database.system_session() as session:
            await session.execute(text(write))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await names(database) == ["hana"]


async def test_a_reader_may_become_a_writer_after_somebody_else_wrote(
    database: Database, clock: Clock
) -> None:
    user_id = await add_user(database, clock, "hana")
    async with database.system_session() as first:
        assert await first.scalar(select(User.name)) == "hana"
        await add_user(database, clock, "taro")
        await first.execute(update(User).where(User.id == user_id).values(name="changed"))
    assert await names(database) == ["changed", "taro"]


async def test_writers_wait_for_each_other(database: Database, clock: Clock) -> None:
    user_id = await add_user(database, clock, "0")

    async def count_up() -> None:
        async with database.system_session() as session:
            await session.scalar(select(func.count()).select_from(User))
            await session.execute(
                update(User).where(User.id == user_id).values(name=User.name + "+")
            )
            await asyncio.sleep(0)

    await asyncio.gather(*(count_up() for _ in range(30)))
    assert await names(database) == ["0" + "+" * 30]


async def test_readers_do_not_wait_for_a_writer(database: Database, clock: Clock) -> None:
    await add_user(database, clock, "hana")
    async with database.system_session() as writer:
        await writer.execute(update(User).values(name="not yet"))
        async with asyncio.timeout(2):
            assert await names(database) == ["hana"]
    assert await names(database) == ["not yet"]


async def test_what_somebody_has_needs_them_and_goes_with_them(
    database: Database, clock: Clock
) -> None:
    async def add(user_id: int) -> None:
        async with database.system_session() as session:
            session.add(BackupCode(user_id=user_id, code_hash="x"))

    user_id = await add_user(database, clock, "hana")
    await add(user_id)
    with pytest.raises(IntegrityError):
        await add(user_id + 1)
    async with database.system_session() as session:
        await session.delete(await session.get_one(User, user_id))
    async with database.system_session() as session:
        assert await session.scalar(select(func.count()).select_from(BackupCode)) == 0


async def test_a_database_that_is_not_there_is_not_asked_before_it_is_needed() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/nothing")
    await database.close()


async def test_the_folder_of_a_new_sqlite_file_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{(tmp_path / 'a' / 'b' / 'app.db').as_posix()}")
    async with database.system_session() as session:
        assert await session.scalar(text("SELECT 1")) == 1
    await database.close()
    assert (tmp_path / "a" / "b").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("database", BOTH[:1], indirect=True)
async def test_sqlite_waits_for_other_processes_and_keeps_its_log(database: Database) -> None:
    async with database.system_session() as session:
        assert await session.scalar(text("PRAGMA journal_mode")) == "wal"
        assert await session.scalar(text("PRAGMA busy_timeout")) == 5000
        assert await session.scalar(text("PRAGMA foreign_keys")) == 1
