"""The database goes away, hangs, changes over or is full: 503 in time, and all is well afterwards.

Real faults of a real PostgreSQL, and a real lock on SQLite.
"""

import asyncio
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager

import psycopg
import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import text

from app.dependencies import Items, SessionDep
from app.schemas.item import ItemIn
from tests.routers.conftest import (
    HTMX,
    PASSWORD,
    Visit,
    add_item,
    browser_for,
    titles,
    trace_id_shown,
)
from tests.support.postgres import PostgresServer, with_standby
from tests.support.processes import SPARE_SECONDS

SECONDS = 4.0
BOUND_SECONDS = 3 * SECONDS + SPARE_SECONDS
"""A place in the pool, a connection and an answer, each waited for in vain."""

ON_POSTGRES = pytest.mark.parametrize(
    "app", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)


@pytest.fixture
def database_timeout() -> float:
    return SECONDS


@pytest.fixture
async def browser(visit: Visit) -> AsyncClient:
    """Hana has an item, a token that programs show, and used every connection of the pool."""
    browser = await visit("Hana")
    await add_item(browser, "Mine")
    fields = {"name": "Program", "scope": "read", "days": "7"}
    page = await browser.post("/account/tokens", data=fields)
    found = re.search(r"pfx_[\w-]+", page.text)
    assert found is not None
    browser.headers["X-Token"] = found[0]
    await all_at_once(browser)
    return browser


async def all_at_once(browser: AsyncClient) -> list[int]:
    answers = await asyncio.gather(*(browser.get("/items") for _ in range(8)))
    return [answer.status_code for answer in answers]


async def assert_away(
    app: FastAPI, browser: AsyncClient, said: str = "The database is not answering."
) -> None:
    """Whoever needs the database is told so in time, in their own way, and stays signed in."""
    program = browser_for(app)
    program.headers["Authorization"] = f"Bearer {browser.headers['X-Token']}"
    sent = {"email": "hana@example.com", "password": PASSWORD}
    began = time.monotonic()
    page, form, part, sign_in, api, ready, healthy = await asyncio.gather(
        browser.get("/items"),
        browser.post("/items", data={"title": "Half"}),
        browser.get("/items", headers=HTMX),
        browser_for(app).post("/sign-in", data=sent),
        program.get("/api/items"),
        browser.get("/readyz"),
        browser.get("/healthz"),
    )
    assert time.monotonic() - began < BOUND_SECONDS
    for answer in (page, form, part, sign_in, api):
        assert answer.status_code == 503, (answer.request.url, answer.text)
        assert answer.headers["retry-after"] == "5"
        assert "set-cookie" not in answer.headers
        assert not re.search("Traceback|sqlalchemy|psycopg|sqlite", answer.text)
    assert trace_id_shown(page) == page.headers["x-trace-id"]
    assert said in page.text
    assert part.headers["hx-reswap"] == "none"
    assert part.headers["x-trace-id"] in part.text
    assert api.json()["trace_id"] == api.headers["x-trace-id"]
    assert (ready.status_code, ready.json()["database"]) == (503, False)
    assert healthy.status_code == 200


async def assert_back(browser: AsyncClient) -> None:
    """At the first try of everybody; and nothing was half done."""
    assert await all_at_once(browser) == [200] * 8
    assert titles(await browser.get("/items")) == ["Mine"]
    assert (await browser.get("/readyz")).status_code == 200
    await add_item(browser, "And on")


def half_way(app: FastAPI, fault: Callable[[], object]) -> None:
    """A form of the app in whose transaction something goes wrong after it has written."""

    async def write(session: SessionDep, items: Items) -> None:
        await items.create(ItemIn(title="Half"))
        fault()
        await session.execute(text("SELECT 1"))

    app.add_api_route("/half-way", write, methods=["POST"])


def end_connections(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@contextmanager
def read_only(server: PostgresServer, database: str) -> Iterator[None]:
    """Meanwhile its new connections can only read, as those of a standby can."""
    name = conninfo_to_dict(database)["dbname"]
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        yield
        connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")


@ON_POSTGRES
class TestPostgres:
    async def test_that_does_not_let_anybody_in(
        self, app: FastAPI, browser: AsyncClient, postgres_server: PostgresServer
    ) -> None:
        with postgres_server.away():
            await assert_away(app, browser)
        await assert_back(browser)

    async def test_that_hangs(
        self, app: FastAPI, browser: AsyncClient, postgres_server: PostgresServer
    ) -> None:
        with postgres_server.hanging():
            await assert_away(app, browser)
        await assert_back(browser)

    async def test_that_hangs_in_the_middle_of_a_transaction(
        self, app: FastAPI, browser: AsyncClient, postgres_server: PostgresServer
    ) -> None:
        with ExitStack() as fault:
            half_way(app, lambda: fault.enter_context(postgres_server.hanging()))
            began = time.monotonic()
            assert (await browser.post("/half-way")).status_code == 503
            assert time.monotonic() - began < BOUND_SECONDS
        await assert_back(browser)

    async def test_that_was_restarted_costs_nobody_a_request(
        self, browser: AsyncClient, postgres_server: PostgresServer
    ) -> None:
        with postgres_server.away():
            pass
        await assert_back(browser)

    async def test_that_ends_connections_in_the_middle_of_a_transaction(
        self, app: FastAPI, browser: AsyncClient, postgres_database: str
    ) -> None:
        half_way(app, lambda: end_connections(postgres_database))
        assert (await browser.post("/half-way")).status_code == 503
        await assert_back(browser)

    async def test_that_has_become_the_one_to_read_from(
        self, browser: AsyncClient, postgres_server: PostgresServer, postgres_database: str
    ) -> None:
        with read_only(postgres_server, postgres_database):
            end_connections(postgres_database)
            assert await all_at_once(browser) == [200] * 8
            answer = await browser.post("/items", data={"title": "Half"})
            assert answer.status_code == 503
            assert trace_id_shown(answer)
        # Those that are still open cannot write; whoever comes finds the one that can.
        await assert_back(browser)

    async def test_that_takes_too_long_for_one_answer(
        self, app: FastAPI, browser: AsyncClient
    ) -> None:
        async def sleep() -> None:
            async with app.state.database.session() as session:
                await session.execute(text("SELECT pg_sleep(60)"))

        app.add_api_route("/slow", sleep)
        assert (await browser.get("/slow")).status_code == 503
        await assert_back(browser)


@pytest.fixture
def standby(postgres_database: str, postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    """A second server, that follows the first."""
    with postgres_server.standby() as standby:
        yield standby


@pytest.fixture
def replicated_database(postgres_database: str, standby: PostgresServer) -> str:
    return with_standby(postgres_database, standby)


@pytest.mark.postgres
@pytest.mark.parametrize("app", ["replicated"], indirect=True)
async def test_a_standby_takes_over(
    app: FastAPI, browser: AsyncClient, postgres_server: PostgresServer, standby: PostgresServer
) -> None:
    with postgres_server.away():
        await assert_away(app, browser)
        standby.promote()
        await assert_back(browser)


@ON_POSTGRES
async def test_a_full_pool(app: FastAPI, browser: AsyncClient) -> None:
    async with AsyncExitStack() as others:
        for _ in range(10):
            await others.enter_async_context(app.state.database.engine.connect())
        await assert_away(app, browser, "Too much is going on here at once.")
    await assert_back(browser)


@ON_POSTGRES
@pytest.mark.parametrize("database_timeout", [30.0])  # waiting for each other would last that long
async def test_requests_that_need_two_connections_do_not_wait_for_each_other(
    app: FastAPI, browser: AsyncClient
) -> None:
    """A count, or the first page of a stream, beside a connection that each of them holds."""
    files = await asyncio.gather(*(browser.get("/api/items/export") for _ in range(20)))
    assert {answer.status_code for answer in files} == {200}
    programs = [browser_for(app) for _ in range(40)]
    for program in programs:
        program.headers["Authorization"] = "Bearer pfx_none"
    answers = await asyncio.gather(*(program.get("/api/items") for program in programs))
    assert {answer.status_code for answer in answers} == {401}


async def test_a_locked_sqlite_file(
    app: FastAPI, browser: AsyncClient, sqlite_database: str
) -> None:
    lock = sqlite3.connect(sqlite_database.removeprefix("sqlite:///"), isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    page, form = await asyncio.gather(
        browser.get("/items"), browser.post("/items", data={"title": "Half"})
    )
    assert time.monotonic() - began < BOUND_SECONDS
    assert (page.status_code, form.status_code) == (200, 503)
    assert trace_id_shown(form)
    lock.rollback()
    lock.close()
    await assert_back(browser)
