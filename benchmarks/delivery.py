"""Rows a second from the journal to sqld, and what a backlog costs the app that delivers it.

The limit beside it: the same rows, decoded already, as plain multi-row INSERTs, a hundred a
statement and five hundred a transaction, at most 100,000 of them, without journal, checkpoint and
sums. Then a process finds a journal with so many rows and delivers it: `alone`, as `manage.py logs
ship` does, `in the app`, which meanwhile answers a request every 10 ms and records it, and `beside
the app`, by the process that it starts with `LOG_DELIVERY=process`. Another process says when a
request comes, and its time is from that moment to the whole answer. The p99 is the median of those
of each 500 requests, and is shown beside that of the same app without a backlog, half of whose
requests come before the delivery and half after it; with less than 500 there is none. Memory is the
app's highest of the whole delivery above that at its start. Of all processes of a log folder one
delivers, however many write to it.
"""

import asyncio
import gc
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NamedTuple

from app.lib.logger import EnhancedCSVLogger
from app.lib.tracelog import codec
from app.lib.tracelog.capture.middleware import CaptureMiddleware
from app.lib.tracelog.ids import IdGenerator
from app.lib.tracelog.journal.journal import Journal
from app.lib.tracelog.rows import make_row
from app.lib.tracelog.schema import API_LOGS, TABLES, Row
from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.turso_store import TursoStore
from benchmarks.bodies import body
from benchmarks.crew import ready, together
from benchmarks.http import Stage
from benchmarks.pace import MOMENT
from benchmarks.percentiles import percentile
from benchmarks.recording import call
from benchmarks.sample import bare_app
from commands.kit.arguments import Arguments
from commands.kit.environment import ROOT
from commands.kit.memory import OBJECTS_A_COLLECTION
from commands.kit.parts import sqld_path

REQUEST_EVERY: Final = 0.01
WARMING_UP: Final = 50
PART: Final = 500
PLAIN_ROWS: Final = 100_000
STATEMENT_ROWS: Final = 100
TRANSACTION_ROWS: Final = 500
MOST_SECONDS: Final = 600.0
_ADDRESS: Final = "address.txt"
_REQUESTS: Final = "requests.txt"
_TABLE: Final = TABLES[API_LOGS]


class Measured(NamedTuple):
    """Rows and seconds of the delivery, bytes of memory, p99 in seconds before and during it."""

    rows: int
    seconds: float
    memory: int
    before: float = 0.0
    during: float = 0.0


def some_rows(count: int) -> list[Row]:
    """Rows of about 300 bytes in the journal."""
    ids = IdGenerator()
    samples = [
        make_row(
            _TABLE,
            {
                "method": "GET",
                "endpoint": f"/items/{number}",
                "request_header": {"accept": "text/html, */*", ":route": "/items/{id}"},
                "response_status": 200 if number % 20 else 404,
                "response_body": {"title": "買い物リスト", "note": "for the weekend"},
                "duration_ms": number,
            },
            row_id=ids.next(),
            trace_id=f"6f1c4d2e-8a3b-4c5d-9e7f-0a1b2c3d{number:04x}",
            now=time.time(),
        )
        for number in range(100)
    ]
    return [(ids.next(), *samples[number % 100][1:]) for number in range(count)]


def plain(url: str, rows: list[Row]) -> float:
    """Rows a second with nothing but INSERTs."""
    store = TursoStore(url)
    columns = _TABLE.column_names
    marks = f"({','.join('?' * len(columns))})"
    started = time.monotonic()
    for start in range(0, len(rows), TRANSACTION_ROWS):
        statements = []
        for first in range(start, min(start + TRANSACTION_ROWS, len(rows)), STATEMENT_ROWS):
            part = rows[first : first + STATEMENT_ROWS]
            values = ",".join([marks] * len(part))
            sql = f"INSERT INTO {_TABLE.name} ({','.join(columns)}) VALUES {values}"
            statements.append(Statement(sql, [value for row in part for value in row]))
        store.transact(statements)
    seconds = time.monotonic() - started
    store.close()
    return len(rows) / seconds


def _fill(folder: Path, count: int) -> None:
    journal = Journal(folder, _TABLE, fsync="no")
    for _ in range(0, count, PLAIN_ROWS):
        for row in some_rows(min(count, PLAIN_ROWS)):
            journal.append(codec.encode(_TABLE, row), int(row[0] or 0))
    journal.close()


def _memory() -> int:
    """What this process has in memory, in bytes; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _shipped(logger: EnhancedCSVLogger) -> int:
    return logger.shipper.progress().checkpoint.counters.shipped


def _logger(folder: Path, name: str, *, beside: bool = False) -> EnhancedCSVLogger:
    url = (folder / _ADDRESS).read_text("utf-8")
    return EnhancedCSVLogger(url, base_path=folder / name, beside=beside)


def alone(_number: int, folder: Path, count: int) -> Measured:
    logger = _logger(folder, "logs")
    ready()
    start = highest = _memory()
    started = time.monotonic()
    logger.start()
    while _shipped(logger) < count and time.monotonic() - started < MOST_SECONDS:
        time.sleep(0.05)
        highest = max(highest, _memory())
    seconds = time.monotonic() - started
    shipped = _shipped(logger)
    logger.close()
    return Measured(shipped, seconds, highest - start)


def in_the_app(_number: int, folder: Path, count: int, *, beside: bool = False) -> Measured:
    ready()
    # As `manage.py run` has it.
    gc.freeze()
    gc.set_threshold(OBJECTS_A_COLLECTION)
    requests = int((folder / _REQUESTS).read_text("utf-8"))

    def without_backlog(requests: int) -> list[float]:
        quiet = _logger(folder, "quiet")
        times = asyncio.run(_serve(quiet, lambda answered: answered >= requests))
        quiet.close()
        return times

    without_backlog(WARMING_UP)
    without = without_backlog(requests // 2)
    logger = _logger(folder, "logs", beside=beside)
    start = highest = _memory()
    done = threading.Event()
    started = ended = time.monotonic()

    def watch() -> None:
        nonlocal ended, highest
        deadline = time.monotonic() + MOST_SECONDS
        while _shipped(logger) < count and time.monotonic() < deadline:
            highest = max(highest, _memory())
            time.sleep(0.05)
        ended = time.monotonic()
        done.set()

    logger.start()
    watcher = threading.Thread(target=watch)
    watcher.start()
    during = asyncio.run(_serve(logger, lambda _: done.is_set()))
    shipped = _shipped(logger)
    watcher.join()
    logger.close()
    without += without_backlog(requests // 2)
    return Measured(shipped, ended - started, highest - start, _p99(without), _p99(during))


def beside_the_app(number: int, folder: Path, count: int) -> Measured:
    return in_the_app(number, folder, count, beside=True)


async def _serve(logger: EnhancedCSVLogger, enough: Callable[[int], bool]) -> list[float]:
    """Answer requests that come at an even pace; how long each of them took."""
    app = CaptureMiddleware(bare_app(), logger.recorder)
    bodies = [body(number) for number in range(100)]
    times: list[float] = []
    done = asyncio.Event()

    async def answer(comes: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not enough(len(times)):
            [sent] = MOMENT.unpack(await comes.readexactly(MOMENT.size))
            await call(app, bodies[len(times) % len(bodies)])
            times.append(time.perf_counter() - sent)
        done.set()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        command = [sys.executable, "-m", "benchmarks.pace", str(port), str(REQUEST_EVERY)]
        pace = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
        try:
            await done.wait()
        finally:
            pace.kill()
            await pace.wait()
    return times


def _p99(times: list[float]) -> float:
    """The median of those of the whole parts, which what else runs disturbs less; 0 without any."""
    parts = [times[end - PART : end] for end in range(PART, len(times) + 1, PART)]
    return statistics.median(percentile(part, 99) for part in parts) if parts else 0.0


WAYS: Final = {"alone": alone, "in the app": in_the_app, "beside the app": beside_the_app}


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(prog="manage.py bench delivery", description=__doc__)
    parser.add_argument(
        "--rows",
        type=int,
        nargs="+",
        default=[10_000, 100_000, 1_000_000],
        help="that wait; one number or several (10000 100000 1000000)",
    )
    parser.add_argument("--requests", type=int, default=1_000, help="without a backlog (1,000)")
    options = parser.parse_args(arguments)
    if sqld_path() is None:
        print("Not measured: there is no sqld here.")
        return 0
    print("| rows that wait | way | rows/s | of plain | memory MB | p99 ms | without backlog |")
    print("|---:|---|---:|---:|---:|---:|---:|")
    for count in options.rows:
        with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
            folder = Path(place)
            stage = Stage(stack, folder)
            limit = plain(stage.sqld("plain")[1], some_rows(min(count, PLAIN_ROWS)))
            print(f"| {count:,} | plain INSERTs | {limit:,.0f} | 1.00 | | | |")
            for name, work in WAYS.items():
                run = folder / name
                run.mkdir()
                (run / _ADDRESS).write_text(stage.sqld(name)[1], encoding="utf-8")
                (run / _REQUESTS).write_text(str(options.requests), encoding="utf-8")
                _fill(run / "logs", count)
                (found,) = together(1, work, run, count)
                rate, memory = found.rows / found.seconds, found.memory / 1e6
                times = ""
                if found.before:
                    times = f"{found.during * 1000:.2f} | {found.before * 1000:.2f}"
                if found.rows < count:
                    print(f"{name}: {count - found.rows:,} rows were not delivered in time")
                print(
                    f"| {count:,} | {name} | {rate:,.0f} | {rate / limit:.2f} | {memory:.1f} |"
                    f" {times or '|'} |"
                )
    return 0
