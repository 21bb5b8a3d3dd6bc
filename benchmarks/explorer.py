"""How long the pages of the trace log take over a long log: `manage.py bench explorer --store URL`.

Fills an empty store (`file:PATH`, or the `http://` or `libsql://` of a Turso server) with
`--requests` requests and three times as many rows of steps, or takes what an earlier run left
there. Then it asks the app for each page as a browser does. Times are those of the whole answer in
milliseconds, without a network, and how much of that this process computed (with a store in a file
that is all the work, and tells more on a busy machine). The weight is what a browser loads at its
first visit, compressed.
"""

import asyncio
import gc
import gzip
import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from app.assets import DIST
from app.config import Settings
from app.database import Database
from app.lib.logger import NullLogger
from app.lib.tracelog.schema import API_LOGS
from app.lib.tracelog.store.opening import open_store
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Store
from app.main import COMPRESSION, create_app
from app.migration import upgrade
from app.services.account_service import LocalAccounts
from app.services.password_hasher import PasswordHasher
from benchmarks.longer_log import repeat_before
from benchmarks.made_up_log import LONG_TRACE, MadeUpLog
from benchmarks.percentiles import percentile
from commands.kit.arguments import Arguments

ORIGIN: Final = "http://bench.test"
BATCH: Final = 4000

_PASSWORD: Final = "correct horse battery"  # of an account that is gone afterwards


@dataclass(frozen=True, slots=True)
class Question:
    """Pages of one kind; each round asks all of them. `most` is the target in milliseconds."""

    name: str
    most: int
    urls: tuple[str, ...]


def fill(store: Store, log: MadeUpLog, copies: int) -> None:
    """Put the log into the store, and again before it, unless there is one of that size."""
    store.migrate()
    requests = log.requests * copies
    [(have,)] = store.query(f"SELECT count(*) FROM {API_LOGS}", timeout=60.0).rows
    if have == 0:
        started, rows = time.perf_counter(), 0
        for batch in log.batches(BATCH):
            rows += store.insert(batch).written
        seconds = time.perf_counter() - started
        print(f"{rows:,} rows in {seconds:.0f} s: {rows / seconds:,.0f} a second")
        if isinstance(store, SQLiteStore) and copies > 1:
            repeat_before(Path(store.name), copies - 1)
    elif not isinstance(have, int) or abs(have - requests) > requests // 100:
        raise SystemExit(f"The store has another log in it, not one of {requests:,} requests.")


def questions(store: Store, log: MadeUpLog) -> list[Question]:
    """What is asked, with places and traces out of the store."""

    def ids(where: str) -> list[int]:
        sql = f"SELECT id FROM {API_LOGS} WHERE {where}"
        return [int(row[0] or 0) for row in store.query(sql, timeout=60.0).rows]

    [newest], [oldest] = ids("1 ORDER BY id DESC LIMIT 1"), ids("1 ORDER BY id LIMIT 1")
    depths = [newest - (newest - oldest) * share // 20 for share in range(20)]
    sql = f"SELECT trace_id FROM {API_LOGS} WHERE id >= ? ORDER BY id LIMIT 1"
    traces = [str(store.query(sql, (depth,)).rows[0][0]) for depth in depths]
    failed = f"SELECT trace_id FROM {API_LOGS} WHERE response_status = 500 LIMIT 10"
    traces += [str(row[0]) for row in store.query(failed).rows]
    by_index = [f"status={status}" for status in ("2xx", "4xx", "5xx", "500", "404", "200")]
    by_index += [f"trace={trace[:8]}" for trace in traces[:5]]
    other = ["user=7", "method=POST", "path=/items", "slower=1000", "failed=1", "ip=192.0.2.9"]
    day = 86_400
    ends = int(log.now.timestamp())
    spans = [f"from={ends - (n + 1) * day}&to={ends - n * day}" for n in range(5)]
    return [
        Question("list, any depth", 50, _urls("requests", [f"after={d}" for d in depths])),
        Question("list, filter with an index", 50, _urls("requests", by_index)),
        Question("list, in a span", 50, _urls("requests", spans)),
        Question("list, other filters", 0, _urls("requests", other)),
        Question("overview", 100, ("/logs", *_urls("", ["range=1h", "range=7d", *spans]))),
        Question("trace", 50, tuple(f"/logs/traces/{trace}" for trace in traces)),
        Question("trace of 5,000 steps", 0, (f"/logs/traces/{LONG_TRACE}",)),
        Question("errors", 100, ("/logs/errors", "/logs/errors?state=all")),
        Question("tasks", 100, _urls("tasks", ["range=1h", "range=24h", "range=7d"])),
    ]


def _urls(page: str, queries: list[str]) -> tuple[str, ...]:
    base = f"/logs/{page}".rstrip("/")
    return tuple(f"{base}?{query}" for query in queries)


async def sign_in(app: FastAPI) -> AsyncClient:
    database: Database = app.state.database
    hasher: PasswordHasher = app.state.hasher
    async with database.system_session() as session:
        accounts = LocalAccounts(session, NullLogger(), hasher)
        await accounts.add("bench@example.com", "Bench", await hasher.hash(_PASSWORD), "admin")
    browser = AsyncClient(
        transport=ASGITransport(app), base_url=ORIGIN, headers={"Origin": ORIGIN}, timeout=60.0
    )
    fields = {"email": "bench@example.com", "password": _PASSWORD}
    await browser.post("/sign-in", data=fields)
    return browser


async def measure(
    url: str, token: str, requests: int, copies: int, rounds: int, folder: Path
) -> None:
    store, log = open_store(url, token), MadeUpLog(requests)
    fill(store, log, copies)
    settings = Settings.model_validate(
        {
            "database_url": f"sqlite:///{(folder / 'app.db').as_posix()}",
            "log_dir": folder / "logs",
            "public_origin": ORIGIN,
            "turso_url": url,
            "turso_token": token,
        }
    )
    await asyncio.to_thread(upgrade, settings.database_url)
    app = create_app(settings)
    browser = await sign_in(app)
    gc.freeze()  # as `manage.py run` does
    print(f"{'':28}{'n':>6}{'p50':>8}{'p95':>8}{'worst':>8}{'CPU':>8}{'target':>8}  (ms)")
    for question in questions(store, log):
        times, computed = [], 0.0
        for turn in range(rounds + 1):
            for address in question.urls:
                started, before = time.perf_counter(), time.process_time()
                answer = await browser.get(address)
                if turn:  # the first one warms up
                    computed += time.process_time() - before
                    times.append((time.perf_counter() - started) * 1000)
                if answer.status_code != 200:
                    raise SystemExit(f"{address} answered {answer.status_code}.")
        p50, p95 = percentile(times, 50), percentile(times, 95)
        target = question.most or "–"
        cpu = computed * 1000 / len(times)
        counts = f"{len(times):6}{p50:8.1f}{p95:8.1f}{max(times):8.1f}{cpu:8.1f}{target:>8}"
        print(f"{question.name:28}{counts}")
    for name, address in (("overview", "/logs"), ("list", "/logs/requests")):
        page = (await browser.get(address)).text
        print(f"weight of {name:18}{weight(page) / 1000:8.1f} kB")
    await browser.aclose()
    await app.state.database.close()
    app.state.logger.close(0.0)
    store.close()


def weight(page: str) -> int:
    """The bytes of a page and of what it loads, compressed as the app does."""
    names: list[str] = re.findall(r'(?:src|href)="/static/([^"]+)"', page)
    packed = {DIST / name: DIST / f"{name}.br" for name in names}
    sizes = [(br if br.exists() else file).stat().st_size for file, br in packed.items()]
    return len(gzip.compress(page.encode(), COMPRESSION)) + sum(sizes)


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(prog="manage.py bench explorer", description=__doc__)
    parser.add_argument("--store", required=True, metavar="URL", help="URL of the store")
    parser.add_argument("--token", default="", help="its token, where it wants one")
    parser.add_argument(
        "--requests", type=int, default=1_000_000, help="in an empty store (1,000,000)"
    )
    parser.add_argument(
        "--copies", type=int, default=1, help="so many such logs one after the other, in a file (1)"
    )
    parser.add_argument("--rounds", type=int, default=5, help="of each (5)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(
            measure(
                options.store,
                options.token,
                options.requests,
                options.copies,
                options.rounds,
                Path(folder),
            )
        )
    return 0
