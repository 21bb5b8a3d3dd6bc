"""What the pages of the trace log cost a real browser: `manage.py bench browser`.

Opens the trace of a task with 5,000 steps `--rounds` times and takes when its first answer came,
when the browser first painted, when all that the page loads was there, and what the app and the
browser's renderer computed. Then it follows the live
list for `--seconds` while `--rate` requests a second come in: how many rows the page has at most,
and what share of a core the browser's renderer took. Server, database and the writer run beside it
on the same machine.
"""

import gc
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from app.config import Settings
from app.lib.logger import EnhancedCSVLogger
from app.lib.tracelog.ids import IdGenerator
from app.lib.tracelog.rows import make_row
from app.lib.tracelog.schema import API_LOGS, TABLES
from app.lib.tracelog.store.store import Batch, Store
from app.main import create_app
from app.services.seed_service import seed_admin
from benchmarks.made_up_log import LONG_TRACE, MadeUpLog
from commands.kit.arguments import Arguments
from commands.kit.database import migrate, transact
from commands.kit.listener import listen
from commands.kit.parts import chromium_path
from commands.kit.words import Failure

REQUESTS: Final = 2_000
WRITES: Final = 20
"""So many batches a second."""

PAINT_MS: Final = 500
ROWS: Final = 200
SHARE: Final = 30

_TIMES: Final = """async () => {
  while (!performance.getEntriesByName("first-contentful-paint").length) {
    await new Promise(requestAnimationFrame);
  }
  const [page] = performance.getEntriesByType("navigation");
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  return [page.responseStart, paint.startTime, page.loadEventEnd];
}"""
_ROWS: Final = "document.querySelectorAll('#requests tr[data-id]').length"


@dataclass(frozen=True, slots=True)
class _Served:
    origin: str
    email: str
    password: str
    store: Store


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(prog="manage.py bench browser", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="how often the trace is opened (7)")
    parser.add_argument("--seconds", type=float, default=20.0, help="of the live list (20)")
    parser.add_argument(
        "--rate", type=int, default=500, help="requests a second in the live list (500)"
    )
    options = parser.parse_args(arguments)
    chromium = chromium_path()
    if chromium is None:
        raise Failure("no_chromium")
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with _served() as served, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"] if as_root else []
        )
        page = _sign_in(browser, served)
        _paint(page, options.rounds)
        _follow(page, served.store, options.seconds, options.rate)
        browser.close()
    return 0


def _paint(page: Page, rounds: int) -> None:
    taken = []
    for _ in range(rounds + 1):
        drawn, server = _cpu(_renderers()), time.process_time()
        page.goto(f"/logs/traces/{LONG_TRACE}", wait_until="load")
        times = page.evaluate(_TIMES)
        computed = time.process_time() - server, _cpu(_renderers()) - drawn
        taken.append([*times, *(seconds * 1000 for seconds in computed)])
    names = ("first byte", "first paint", "everything there", "CPU of the app", "CPU of the page")
    print("5,000 steps                median   worst  (ms)")
    for name, values in zip(names, zip(*taken[1:], strict=True), strict=True):
        target = f"  target {PAINT_MS}" if name == "first paint" else ""
        print(f"{name:25}{statistics.median(values):8.0f}{max(values):8.0f}{target}")


def _follow(page: Page, store: Store, seconds: float, rate: int) -> None:
    page.goto("/logs/requests?live=1")
    page.wait_for_selector("#requests[data-live-open]")
    renderers = _renderers()
    stop = threading.Event()
    writer = threading.Thread(target=_write, args=(store, rate, stop))
    writer.start()
    try:
        page.wait_for_timeout(2000)  # until the first ones are there
        before, started = _cpu(renderers), time.monotonic()
        counts = []
        while time.monotonic() - started < seconds:
            page.wait_for_timeout(1000)
            counts.append(int(page.evaluate(_ROWS)))
        share = (_cpu(renderers) - before) / (time.monotonic() - started) * 100
    finally:
        stop.set()
        writer.join()
    print(f"\n{rate:,} requests a second, followed for {seconds:.0f} s")
    print(f"rows in the page, at most {max(counts):7}    target below {ROWS}")
    print(f"of a core, the renderer   {share:6.1f}%    target below {SHARE}%")


def _write(store: Store, rate: int, stop: threading.Event) -> None:
    """New requests at an even pace, however long a batch takes."""
    ids, table = IdGenerator(node=2), TABLES[API_LOGS]
    due = time.monotonic()
    written = 0
    while not stop.is_set():
        now = time.time()
        rows = []
        for _ in range(rate // WRITES):
            written += 1
            data = {
                "method": "GET",
                "endpoint": f"/items/{written}",
                "request_header": {":route": "/items/{item_id}"},
                "response_status": 500 if written % 50 == 0 else 200,
                "duration_ms": written % 300,
                "user_id": written % 40,
            }
            trace = f"00000000-0000-4000-8000-{written:012}"
            rows.append(make_row(table, data, row_id=ids.next(), trace_id=trace, now=now))
        store.insert(Batch({API_LOGS: rows}))
        due += 1 / WRITES
        stop.wait(max(due - time.monotonic(), 0))


def _renderers() -> list[psutil.Process]:
    """The browser's processes that lay out and paint pages."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if "--type=renderer" in process.cmdline():
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def _cpu(processes: list[psutil.Process]) -> float:
    """The seconds that they have computed."""
    times = [process.cpu_times() for process in processes if process.is_running()]
    return sum(each.user + each.system for each in times)


def _sign_in(browser: Browser, served: _Served) -> Page:
    page = browser.new_page(base_url=served.origin, viewport={"width": 1280, "height": 900})
    page.goto("/sign-in")
    page.locator("#email").fill(served.email)
    page.locator("#password").fill(served.password)
    page.locator("main form button").click()
    page.wait_for_url("**/items")
    return page


@contextmanager
def _served() -> Iterator[_Served]:
    """The app on fresh files, with a made-up log."""
    with tempfile.TemporaryDirectory() as name, listen("127.0.0.1", 0) as listener:
        folder = Path(name)
        settings = Settings(
            database_url=f"sqlite:///{(folder / 'app.db').as_posix()}",
            log_dir=folder / "logs",
            public_origin=f"http://127.0.0.1:{listener.getsockname()[1]}",
        )
        migrate(settings)
        admin = transact(settings, seed_admin)
        logger = EnhancedCSVLogger(base_path=settings.log_dir)
        logger.store.migrate()
        for batch in MadeUpLog(REQUESTS).batches(4000):
            logger.store.insert(batch)
        app = create_app(settings, logger=logger)
        gc.freeze()  # as `manage.py run` does
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield _Served(settings.public_origin, admin.email, admin.password or "", logger.store)
        finally:
            server.should_exit = True
            thread.join()
