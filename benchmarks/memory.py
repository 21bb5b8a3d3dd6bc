"""How soon the app answers after its start, and how much memory it takes: idle, and after work.

Starts `manage.py run` in production mode, with data and log in a temporary folder, and asks until
it answers. Then it is left alone for some seconds, and used by an administrator over as many
connections as `--connections` says: of 20 requests 8 are health checks, 4 the sign-in page, 3 pages
that are not there, 4 lists and searches, one a new item, and each 200th is the overview of the log.
Memory is what the system holds of the process in RAM (RSS).
"""

import http.client
import itertools
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote, urlencode

from app.config import Settings
from benchmarks.ports import START_SECONDS, free_port
from commands.kit.arguments import Arguments
from commands.kit.environment import ROOT

QUIET_SECONDS: Final = 6.0
_EMAIL: Final = "memory@example.com"
# What many requests are like: most are cheap, and some of all kinds are among them.
_PAGES: Final = (
    *("/healthz",) * 8,
    *("/sign-in",) * 4,
    *("/not-there",) * 3,
    *("/items", "/items?sort=title", "/items?q=東", "/api/items", "POST"),
)
_LOG_PAGE: Final = "/logs"
_LOG_EVERY: Final = 200


class Visitor:
    """One keep-alive connection of a browser, closed at the end of a `with`."""

    def __init__(self, port: int, cookie: str = "") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._headers = {"Sec-Fetch-Site": "same-origin", "Accept-Language": "ja,en;q=0.8"}
        if cookie:
            self._headers["Cookie"] = cookie

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._connection.close()

    def open(self, path: str, form: dict[str, str] | None = None) -> http.client.HTTPResponse:
        headers, body = dict(self._headers), None
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(form)
        path = quote(path, safe="/?=&-")
        self._connection.request("POST" if body else "GET", path, body, headers)
        response = self._connection.getresponse()
        response.read()
        return response


@contextmanager
def app(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The app as a platform starts it; nothing of this machine's settings comes along."""
    with (folder / "output.log").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "run"],
            env=_env(folder, port),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _env(folder: Path, port: int) -> dict[str, str]:
    return (
        os.environ
        | {name.upper(): "" for name in Settings.model_fields}
        | {
            "ENVIRONMENT": "production",
            "SECRET_KEY": "k" * 40,
            "PORT": str(port),
            "DATABASE_URL": f"sqlite:///{(folder / 'app.db').as_posix()}",
            "LOG_DIR": str(folder / "logs"),
            "RATE_LIMIT_FACTOR": "10000",
        }
    )


def wait_for_answer(process: subprocess.Popen[bytes], folder: Path, port: int) -> float:
    """Seconds from now to the first answer."""
    started = time.monotonic()
    while time.monotonic() - started < START_SECONDS and process.poll() is None:
        try:
            with Visitor(port) as visitor:
                visitor.open("/healthz")
        except OSError:
            time.sleep(0.01)
        else:
            return time.monotonic() - started
    raise RuntimeError((folder / "output.log").read_text(encoding="utf-8", errors="replace"))


def memory(process: subprocess.Popen[bytes]) -> float:
    """MB of the process in RAM."""
    command = ["ps", "-o", "rss=", "-p", str(process.pid)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024


def sign_in(folder: Path, port: int) -> str:
    """The cookies of a new administrator."""
    command = [sys.executable, str(ROOT / "manage.py"), "user", "add", "--admin", _EMAIL]
    env = _env(folder, port) | {"LC_ALL": "C"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    password = re.findall(r" password (\S+) ", done.stdout)[0]
    with Visitor(port) as visitor:
        response = visitor.open("/sign-in", {"email": _EMAIL, "password": password})
    cookies = response.headers.get_all("Set-Cookie") or []
    return "; ".join(cookie.partition(";")[0] for cookie in cookies)


def work(port: int, cookie: str, requests: int, connections: int) -> None:
    """Send `requests` requests; an answer that should not be is raised."""
    numbers = itertools.count()
    failures: list[str] = []

    def use() -> None:
        with Visitor(port, cookie) as visitor:
            for number in iter(lambda: next(numbers), requests):
                if number > requests or failures:
                    return
                page = _PAGES[number % len(_PAGES)]
                if number % _LOG_EVERY == _LOG_EVERY - 1:  # the store is made with the first row
                    page = _LOG_PAGE
                form = {"title": f"Item {number} 東京"} if page == "POST" else None
                status = visitor.open("/items" if form else page, form).status
                if status >= 400 and page != "/not-there":
                    failures.append(f"{page}: {status}")

    threads = [threading.Thread(target=use) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise RuntimeError(failures[0])


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(prog="manage.py bench memory", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000, help="how many (100,000)")
    parser.add_argument("--connections", type=int, default=4, help="at once (4)")
    parser.add_argument("--quiet", type=float, default=QUIET_SECONDS, help="seconds left alone (6)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        with app(folder, port) as process:
            took = wait_for_answer(process, folder, port)
            print(f"first answer after {took:.1f} s\n", flush=True)
            print("| requests | MB | of idle | req/s |")
            print("|---:|---:|---:|---:|")
            time.sleep(options.quiet)
            idle = memory(process)
            print(f"| 0 | {idle:.0f} | 1.00 | |", flush=True)
            cookie = sign_in(folder, port)
            done, parts = 0, 5
            for part in range(1, parts + 1):
                wanted, started = options.requests * part // parts - done, time.monotonic()
                work(port, cookie, wanted, options.connections)
                rate = wanted / (time.monotonic() - started)
                done += wanted
                if part == parts:
                    time.sleep(options.quiet)
                now = memory(process)
                print(f"| {done:,} | {now:.0f} | {now / idle:.2f} | {rate:,.0f} |", flush=True)
    return 0
