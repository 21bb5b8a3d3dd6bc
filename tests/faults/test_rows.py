"""Rows that nobody expects: hostile values, ids that collide, clocks that step."""

import asyncio
import csv
import time
from pathlib import Path

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.lib.logger import CSVOnlyLogger
from app.lib.tracelog.capture.middleware import CaptureMiddleware
from app.lib.tracelog.ids import IdGenerator
from app.lib.tracelog.schema import API_LOGS, TABLES
from tests.faults.ledger import account_of
from tests.faults.scene import Scene
from tests.lib.tracelog.rows import read_all
from tests.support.turso import TursoServer

API = TABLES[API_LOGS]

HOSTILE: dict[str, object] = {
    "carriage return": "a\rb\r\nc",
    "NUL": "a\x00b",
    "lone surrogate": "a\ud800b\udfff",
    "integer of 64 bits": 2**63,
    "integer of 200 bits": -(2**200),
    "10 MB": "x" * 10_000_000,
    "separators": "a\u2028b\u2029c\x85d\x0be\x0cf\ufeff",
    "formula": '=HYPERLINK("http://example.com/"&A1)',
    "more formulas": "@SUM(1)\n+1\n-1\n\t=1",
    "quotes": '"",""\n"1537387947986012629,"',
    "row in a row": "x\n1537387947986012629,6f1c4d2e-8a3b-4c5d-9e7f-0a1b2c3d4e5f,GET,/,,,,,,,,\n",
    "no number": float("nan"),
    "bytes": b"\xff\xfe\x00",
    "deep": [[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]],
    "key with everything": {'\r\n\x00\ud800,"': {"\u2028": 2**70}},
}
COLUMNS = ("endpoint", "method", "request_body", "response_body", "ip_address", "user_id")


def test_hostile_values_in_any_column_arrive_as_the_file_has_them(
    scene: Scene, open_sqld: TursoServer
) -> None:
    scene.url = open_sqld.url
    logger = CSVOnlyLogger(scene.log_dir)
    for value in HOSTILE.values():
        for column in COLUMNS:
            logger.log(None, API_LOGS, {"method": "GET", "endpoint": "/", column: value})
    logger.close()

    scene.settle()

    account = account_of(scene.log_dir)
    assert account.shipped == account.appended == len(HOSTILE) * len(COLUMNS)
    rows, bad = read_all(scene.log_dir)
    stored = scene.store.query(f"SELECT {', '.join(API.column_names)} FROM api_logs ORDER BY id")
    assert not bad
    assert [tuple(row) for row in stored.rows] == rows
    with (scene.log_dir / "api_logs.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(rows)


def test_a_megabyte_of_headers_is_one_row(scene: Scene) -> None:
    logger = CSVOnlyLogger(scene.log_dir)
    headers = [(b"x-%d" % n, b"v" * 1000) for n in range(1000)]
    scope: Scope = {
        "type": "http", "method": "GET", "path": "/", "headers": headers,
        "query_string": b"", "http_version": "1.1", "client": ("127.0.0.1", 1),
    }  # fmt: skip

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_: Message) -> None:
        pass

    asyncio.run(CaptureMiddleware(app, logger.recorder)(scope, receive, send))
    logger.close()

    scene.settle()
    account = account_of(scene.log_dir)
    assert (account.appended, account.shipped, account.dropped) == (1, 1, 0)


def log(logger: CSVOnlyLogger, name: str, count: int) -> None:
    for number in range(count):
        logger.log(None, API_LOGS, {"method": "GET", "endpoint": f"/w/{name}/{number}"})


def told(scene: Scene, **counts: int) -> None:
    """What the writers were told, for the oracle."""
    for name, count in counts.items():
        scene.ledger.path(name).write_text("".join(f"{n}\n" for n in range(count)))


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_that_steps_by_an_hour_while_nobody_runs(scene: Scene, hours: int) -> None:
    for name, offset in (("before", 0), ("stepped", hours * 3600), ("back", 0)):
        logger = CSVOnlyLogger(scene.log_dir, segment_bytes=5_000)
        logger.recorder._ids = IdGenerator(
            clock_ns=lambda offset=offset: time.time_ns() + offset * 1_000_000_000  # type: ignore[misc]
        )
        log(logger, name, 100)
        logger.close()
        scene.settle()
    told(scene, before=100, stepped=100, back=100)

    scene.check()
    assert account_of(scene.log_dir).shipped == 300


@pytest.mark.parametrize("hosts", [1, 2])
def test_two_processes_that_draw_the_same_ids_lose_no_row(
    scene: Scene, tmp_path: Path, open_sqld: TursoServer, hosts: int
) -> None:
    other = scene if hosts == 1 else Scene(tmp_path / "other", tmp_path / "other" / "logs")
    scene.url = other.url = open_sqld.url
    now = time.time_ns()
    for each, name in ((scene, "one"), (other, "two")):
        logger = CSVOnlyLogger(each.log_dir, segment_bytes=5_000)
        logger.recorder._ids = IdGenerator(node=7, clock_ns=lambda: now)
        log(logger, name, 50)
        logger.close()
        told(each, **{name: 50})

    scene.settle()
    other.settle()

    stored = scene.store.query("SELECT count(*), count(DISTINCT endpoint) FROM api_logs").rows
    other.end()
    assert stored == [(100, 100)]
    shipped = {id(each): account_of(each.log_dir) for each in (scene, other)}.values()
    assert sum(account.shipped for account in shipped) == 100
    assert sum(account.collisions for account in shipped) > 0
