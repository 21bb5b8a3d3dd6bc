"""Requests a second of a JSON route, 1 KB in and 1 KB out, over HTTP: bare and recorded.

Nine servers take turns, the same route in each, under uvicorn as `manage.py run` starts it. Seven
have nothing but the route: bare; two that show what the least costs that a recorder can do, to see
both bodies, and to write them to a file as they are; recorded in CSV; recorded and delivered to
sqld by a process beside it, as `LOG_DELIVERY=process` has it; recorded and delivered to sqld by
itself, as it is by default; and with the source document's logger as written. Two are the whole
template with the route added to it: one records nothing, the other all, as `manage.py run` has it.
Sixteen keep-alive connections send a new body with each request. Where the system allows it the
server has one core for itself, and the load, sqld and the process beside it share another. While
one is measured the others are stopped.

A server can answer many requests and leave their rows for later. So those that deliver are first
measured with what comes behind: the requests of one round by the seconds until sqld has all their
rows. After `--patience` seconds only those count that it has by then. The last column says how many
of all answered requests had their row in sqld when the last round ended.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from app.lib.tracelog.shipper.election import LOCK_NAME, Election
from app.lib.tracelog.store.turso_store import TursoStore
from benchmarks.ports import START_SECONDS, free_port
from commands.kit.arguments import Arguments
from commands.kit.environment import ROOT
from commands.kit.parts import sqld_path

KINDS: Final = {
    "bare": "bare",
    "sees": "both bodies seen, nothing done",
    "writes": "both bodies written as they are",
    "csv": "recorded in CSV",
    "beside": "recorded, delivered by a process beside it",
    "recorded": "recorded, delivered by itself",
    "source": "the source document's logger",
    "template_bare": "the whole template, bare",
    "template": "the whole template, recorded and delivered by itself",
}
DELIVERING: Final = frozenset({"beside", "recorded", "source", "template"})
SERVER_CORE: Final = 0
OTHER_CORE: Final = 1


@dataclass
class Server:
    """A server, the programs that work with it, and what was measured of it."""

    port: int
    processes: list[subprocess.Popen[bytes]]
    turso_url: str = ""
    deliverer: int | None = None
    answered: float = 0
    settled: float | None = None
    rounds: list[dict[str, float]] = field(default_factory=list)

    def send(self, number: signal.Signals) -> None:
        for process in self.processes:
            process.send_signal(number)
        if self.deliverer is not None:
            os.kill(self.deliverer, number)

    def delivered(self) -> int:
        """How many rows are in sqld by now."""
        store = TursoStore(self.turso_url)
        [[count]] = store.query("SELECT count(*) FROM api_logs").rows
        store.close()
        return int(count or 0)


class Stage:
    """Starts programs in a folder of their own and ends them."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack = stack
        self._folder = folder
        self.pins = hasattr(os, "sched_setaffinity") and {
            SERVER_CORE,
            OTHER_CORE,
        } <= os.sched_getaffinity(0)

    def server(self, kind: str) -> Server:
        port, folder = free_port(), self._folder / kind
        options = ["--port", str(port), "--folder", str(folder)]
        processes = []
        url = ""
        if kind in DELIVERING:
            process, url = self.sqld(kind)
            processes.append(process)
            options += ["--turso-url", url]
        module = [sys.executable, "-m", "benchmarks.http_server"]
        processes.append(self.run([*module, kind, *options], SERVER_CORE))
        _wait_for(port)
        return Server(port, processes, url)

    def find_deliverer(self, server: Server) -> None:
        """The process that the server has started after its first rows."""
        lock, deadline = self._folder / "beside" / LOCK_NAME, time.monotonic() + START_SECONDS
        while (pid := Election.holder(lock)) in (None, server.processes[-1].pid):
            if time.monotonic() > deadline:
                raise TimeoutError("no process delivers beside the server")
            time.sleep(0.05)
        server.deliverer = pid
        # While it is stopped it cannot see that its server is gone.
        self._stack.callback(os.kill, pid, signal.SIGKILL)
        if self.pins:
            os.sched_setaffinity(pid, {OTHER_CORE})

    def sqld(self, name: str) -> tuple[subprocess.Popen[bytes], str]:
        """A fresh one with our tables, and its URL."""
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        address = ["--http-listen-addr", f"127.0.0.1:{port}", "--no-welcome"]
        data = str(self._folder / f"{name}.sqld")
        process = self.run([str(sqld_path()), "-d", data, *address], OTHER_CORE)
        _wait_for(port)
        store = TursoStore(url)
        store.migrate()
        store.close()
        return process, url

    def run(self, command: list[str], core: int) -> subprocess.Popen[bytes]:
        with (self._folder / "errors.txt").open("ab") as errors:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=subprocess.DEVNULL,
                stderr=errors,
                preexec_fn=self._pin(core),  # no threads here
            )
        self._stack.callback(_end, process)
        return process

    def load(self, port: int, connections: int, seconds: float) -> dict[str, float]:
        command = [sys.executable, "-m", "benchmarks.http_load", "--port", str(port)]
        command += ["--connections", str(connections), "--seconds", str(seconds)]
        done = subprocess.run(
            command,
            cwd=ROOT,
            check=True,
            stdout=subprocess.PIPE,
            timeout=seconds + 60,
            preexec_fn=self._pin(OTHER_CORE),
        )
        measured: dict[str, float] = json.loads(done.stdout)
        return measured

    def _pin(self, core: int) -> Callable[[], None] | None:
        return (lambda: os.sched_setaffinity(0, {core})) if self.pins else None


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def _settled(server: Server, load: Callable[[], dict[str, float]], patience: float) -> float:
    """Requests a second, counted until the rows of all of them are in sqld."""
    before = server.delivered()
    measured = load()
    ended = time.monotonic()
    server.answered += measured["requests"]
    while (found := server.delivered()) < server.answered:
        if time.monotonic() - ended > patience:
            break
        time.sleep(0.05)
    seconds = measured["requests"] / measured["per_second"] + time.monotonic() - ended
    return (found - before) / seconds


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).close()
        except urllib.error.HTTPError as answer:
            answer.close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def run(
    kinds: list[str],
    connections: int,
    seconds: float,
    rounds: int,
    patience: float,
    folder: Path,
) -> None:
    with ExitStack() as stack:
        stage = Stage(stack, folder)
        servers = {kind: stage.server(kind) for kind in kinds}
        for kind, server in servers.items():
            # The first row of all, so that whatever delivers is there.
            server.answered += stage.load(server.port, 1, 0.2)["requests"]
            if kind == "beside":
                stage.find_deliverer(server)
            load = partial(stage.load, server.port, connections, seconds)
            if server.turso_url:
                server.settled = _settled(server, load, patience)
            else:
                server.answered += load()["requests"]
            server.send(signal.SIGSTOP)
        shares: dict[str, str] = {}
        for _ in range(rounds):
            for kind, server in servers.items():
                server.send(signal.SIGCONT)
                server.rounds.append(stage.load(server.port, connections, seconds))
                server.answered += server.rounds[-1]["requests"]
                if server.turso_url:
                    shares[kind] = f"{server.delivered() / server.answered:.0%}"
                server.send(signal.SIGSTOP)
        where = "one core for the server" if stage.pins else "cores not pinned"
    print(
        f"| {connections} connections, {where} | req/s | p50 ms | p99 ms | of bare"
        " | req/s until all are in sqld | in sqld |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|")
    for kind, server in servers.items():
        bare = _median(servers["template_bare" if "template" in kind else "bare"], "per_second")
        rate = _median(server, "per_second")
        times = " | ".join(f"{_median(server, name):.1f}" for name in ("p50_ms", "p99_ms"))
        settled = "" if server.settled is None else f"{server.settled:,.0f}"
        print(
            f"| {KINDS[kind]} | {rate:,.0f} | {times} | {rate / bare:.2f} | {settled}"
            f" | {shares.get(kind, '')} |"
        )
        if failed := sum(each["failed"] for each in server.rounds):
            print(f"{KINDS[kind]}: {failed:.0f} requests failed")


def _median(server: Server, name: str) -> float:
    return statistics.median(each[name] for each in server.rounds)


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(prog="manage.py bench http", description=__doc__)
    parser.add_argument("--connections", type=int, default=16, help="at once (16)")
    parser.add_argument("--seconds", type=float, default=3.0, help="a round, of each (3)")
    parser.add_argument("--rounds", type=int, default=3, help="of each (3)")
    parser.add_argument(
        "--patience", type=float, default=60.0, help="seconds, for rows left over (60)"
    )
    options = parser.parse_args(arguments)
    kinds = list(KINDS)
    if sqld_path() is None:
        kinds = [kind for kind in kinds if kind not in DELIVERING]
        print("Not measured with delivery: there is no sqld here.")
    elif find_spec("libsql_client") is None:
        kinds.remove("source")
        print("Not compared with others: the packages of requirements-bench.txt are missing.")
    with tempfile.TemporaryDirectory() as folder:
        run(
            kinds,
            options.connections,
            options.seconds,
            options.rounds,
            options.patience,
            Path(folder),
        )
    return 0
