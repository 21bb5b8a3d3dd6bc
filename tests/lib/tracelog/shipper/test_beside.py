"""A process beside the app delivers, one at a time, and for no longer than the app runs."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from app.lib.logger import EnhancedCSVLogger
from app.lib.tracelog.schema import API_LOGS
from app.lib.tracelog.shipper.beside import Beside, Order
from app.lib.tracelog.shipper.election import LOCK_NAME, Election
from app.lib.tracelog.upkeep.retention import Rules
from tests.support.processes import wait_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="locks cannot be handed over there")

MOST_BYTES = 40 << 20

APP = """
import os, resource, sys
from app.lib.logger import EnhancedCSVLogger
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
connections = [os.open(os.devnull, os.O_RDONLY) for _ in range(int(sys.argv[2]))]
logger = EnhancedCSVLogger(base_path=sys.argv[1], turso_token="hush-hush", beside=True)
for _ in sys.stdin:
    logger.log(None, "api_logs", {"method": "GET", "endpoint": "/"})
    print("written", logger.status().leader, flush=True)
logger.close()
"""


class App:
    """A process with a logger, which writes a row when it is told to."""

    def __init__(self, folder: Path, connections: int = 0) -> None:
        self.process = psutil.Popen(
            [sys.executable, "-c", APP, str(folder), str(connections)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def write(self) -> bool:
        """Whether it says that the lead is its own."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        written, leads = self.process.stdout.readline().split()
        assert written == "written"
        return bool(leads == "True")

    def beside(self) -> list[int]:
        return [child.pid for child in self.process.children()]


@pytest.fixture
def start_app(tmp_path: Path) -> Iterator[Callable[..., App]]:
    apps: list[App] = []

    def start(connections: int = 0) -> App:
        apps.append(App(tmp_path, connections))
        return apps[-1]

    yield start
    for each in apps:
        for stream in (each.process.stdin, each.process.stdout):
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        if each.process.poll() is None:
            each.process.kill()
        each.process.wait()


def leader(folder: Path) -> int | None:
    return Election.holder(folder / LOCK_NAME)


def deliverer(folder: Path, app: App) -> int:
    """The process beside `app`, once it leads."""
    found: list[int] = []

    def leads() -> bool:
        found[:] = [pid for pid in app.beside() if pid == leader(folder)]
        return bool(found)

    wait_until(leads, what="a process that delivers beside the app")
    return found[0]


def shipped(folder: Path) -> int:
    return EnhancedCSVLogger(base_path=folder).status().shipped


def is_gone(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


def test_the_lead_goes_to_one_process_that_ends_with_its_app(
    tmp_path: Path, start_app: Callable[..., App]
) -> None:
    first, second = start_app(), start_app()
    first.write()
    pid = deliverer(tmp_path, first)
    assert not second.write()
    wait_until(lambda: shipped(tmp_path) == 2, what="both rows")
    wait_until(first.write, what="the lead of the app whose process delivers")
    assert second.beside() == [] or leader(tmp_path) != pid
    assert psutil.Process(pid).memory_info().rss < MOST_BYTES
    assert "hush-hush" not in " ".join(psutil.Process(pid).cmdline())

    first.process.kill()
    wait_until(lambda: is_gone(pid), what="its end")
    second.write()
    deliverer(tmp_path, second)
    account = EnhancedCSVLogger(base_path=tmp_path).status
    wait_until(lambda: account().shipped == account().appended, what="all rows")


def test_the_app_goes_on_when_the_process_is_killed_and_drains_at_its_end(
    tmp_path: Path, start_app: Callable[..., App]
) -> None:
    app = start_app()
    app.write()
    pid = deliverer(tmp_path, app)
    os.kill(pid, signal.SIGKILL)
    app.write()
    wait_until(lambda: shipped(tmp_path) == 2, what="the row after the kill")
    app.write()
    app.process.stdin.close()
    app.process.wait(60)
    assert shipped(tmp_path) == 3


def test_asked_to_end_the_app_takes_the_lead_back_and_delivers_the_rest(
    tmp_path: Path, start_app: Callable[..., App]
) -> None:
    app = start_app()
    app.write()
    pid = deliverer(tmp_path, app)
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(pid, number)
    app.write()
    app.process.stdin.close()
    assert app.process.wait(60) == 0
    assert shipped(tmp_path) == 2
    wait_until(lambda: is_gone(pid), what="its end")


def test_an_app_with_a_thousand_connections_hands_over_as_well(
    tmp_path: Path, start_app: Callable[..., App]
) -> None:
    app = start_app(1_100)
    app.write()
    deliverer(tmp_path, app)
    app.write()
    wait_until(lambda: shipped(tmp_path) == 2, what="both rows")


def have_started(order: dict[str, object]) -> str:
    """What a process says that gets this order from an app which has ended meanwhile."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", Beside.__module__, "0", str(write)],
        input=json.dumps(order) + "\n",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=[write],
        text=True,
        timeout=60,
        check=True,
    )
    os.close(write)
    return done.stdout


def test_an_app_that_ends_before_the_process_is_ready_ends_it_without_a_word(
    tmp_path: Path,
) -> None:
    order = Order(str(tmp_path), f"file:{tmp_path / 'trace.db'}", "", Rules())
    assert have_started(asdict(order)) == ""


def test_what_it_says_is_said_as_it_was_told_to(tmp_path: Path) -> None:
    handler = {"class": "logging.StreamHandler", "formatter": "line"}
    log_config = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "told: %(message)s"}},
        "handlers": {"one": handler | {"stream": "ext://sys.stdout"}},
        "root": {"handlers": ["one"]},
    }
    order = asdict(Order(str(tmp_path), "file:x", "", Rules(), log_config))
    said = have_started(order | {"rules": {"no": "such rule"}})
    assert said.startswith("told: The process that delivers the trace log ends.\nTraceback")


def test_nothing_is_started_unless_asked_for(tmp_path: Path) -> None:
    with contextlib.closing(EnhancedCSVLogger(base_path=tmp_path)) as logger:
        logger.log(None, API_LOGS, {"method": "GET", "endpoint": "/"})
        wait_until(lambda: logger.status().shipped == 1, what="the row")
        assert leader(tmp_path) == os.getpid()


def test_without_a_process_the_app_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    beside = Beside(Order(str(tmp_path), "file:x", "", Rules()))
    beside.start(0)
    assert not beside.runs()
    assert not beside.is_ready()


def test_a_folder_of_modules_that_is_no_text_is_passed_over_as_python_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, tmp_path])
    beside = Beside(Order(str(tmp_path), "file:x", "", Rules()))
    lock = os.open(tmp_path / LOCK_NAME, os.O_RDWR | os.O_CREAT)

    beside.start(lock)

    wait_until(beside.is_ready, what="the process")
    beside.end()
    os.close(lock)
