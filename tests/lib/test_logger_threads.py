"""Loggers among threads, signals, forks and the end of Python."""

import contextlib
import errno
import itertools
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest

from app.lib.logger import CSVOnlyLogger, EnhancedCSVLogger
from app.lib.tracelog.journal.journal import Fsync, Journal
from app.lib.tracelog.journal.tally import Counts, Tally
from app.lib.tracelog.shipper import shipper
from commands.kit.environment import ROOT
from tests.lib.log_files import rows
from tests.lib.tracelog.forks import child_does, forks
from tests.support.processes import finish, wait_until


def test_two_threads_that_write_first_leave_one_that_forces_rows_to_the_disk(
    tmp_path: Path,
) -> None:
    def syncing() -> set[threading.Thread]:
        return {thread for thread in threading.enumerate() if thread.name == "tracelog-sync"}

    before = syncing()
    logger = CSVOnlyLogger(tmp_path)
    for _ in range(2):
        logger.recorder._start_syncer()
    wait_until(lambda: len(syncing() - before) == 1, what="the end of the other")
    logger.close()
    wait_until(lambda: not syncing() - before, what="the end of both")


def test_what_fails_for_once_does_not_end_the_thread_that_forces_rows_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Journal] = []

    def sync(journal: Journal) -> None:
        calls.append(journal)
        if len(calls) == 1:
            raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr(Journal, "sync", sync)
    logger = CSVOnlyLogger(tmp_path)
    logger.log(None, "api_logs", {"method": "GET", "endpoint": "/"})

    wait_until(lambda: len(calls) == 3, what="the next second's")
    logger.close()


def test_threads_that_write_first_at_once_leave_one_that_delivers(
    logger: EnhancedCSVLogger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def delivering() -> set[threading.Thread]:
        return {thread for thread in threading.enumerate() if thread.name == "tracelog-shipper"}

    def write() -> None:
        logger.log(None, "api_logs", {"method": "GET", "endpoint": "/"})

    def write_meanwhile() -> None:
        monkeypatch.undo()
        other = threading.Thread(target=write)
        other.start()
        other.join()

    before = delivering()
    monkeypatch.setattr(shipper, "take_short_turns", write_meanwhile)
    write()
    assert len(rows(tmp_path, "api_logs")) == 2
    assert len(delivering() - before) == 1


FINALIZER = """
import sys
from app.lib.logger import CSVOnlyLogger, EnhancedCSVLogger

class Last:
    def __init__(self, logger):
        self.logger = logger
    def __del__(self):
        self.logger.log(None, "api_logs", {"method": "GET", "endpoint": "/last"})

logger = {"csv": CSVOnlyLogger, "store": EnhancedCSVLogger}[sys.argv[1]](base_path=sys.argv[2])
if sys.argv[3:]:
    logger.log(None, "api_logs", {"method": "GET", "endpoint": "/first"})
last = Last(logger)
"""


@pytest.mark.parametrize("first", [["first"], []])
@pytest.mark.parametrize("kind", ["csv", "store"])
def test_what_a_finalizer_logs_when_python_ends_does_not_keep_it_from_ending(
    tmp_path: Path, kind: str, first: list[str]
) -> None:
    command = [sys.executable, "-c", FINALIZER, kind, str(tmp_path), *first]

    assert finish(command, os.environ, ROOT, 60).stdout == ""

    expected = [f"/{name}" for name in (*first, "last")]
    assert [row["endpoint"] for row in rows(tmp_path, "api_logs")] == expected
    assert Tally(tmp_path).totals() == Counts(appended=len(expected))


class TestASignal:
    pytestmark = forks

    @pytest.mark.parametrize("closes", [False, True])
    @pytest.mark.parametrize("fsync", ["everysec", "always"])
    def test_whose_handler_logs_may_interrupt_whatever_the_logger_does(
        self, tmp_path: Path, fsync: Fsync, closes: bool
    ) -> None:
        def work() -> None:
            logger = EnhancedCSVLogger(base_path=tmp_path, fsync=fsync, segment_bytes=10_000)
            written: Counter[str] = Counter()

            def write(who: str) -> None:
                logger.log(None, "task_progress_logs", {"task_name": who, "status": "SUCCESS"})
                written[who] += 1

            handling: list[object] = []

            def handle(*_: object) -> None:
                # Not within itself: what it does may take longer than the next signal.
                if not handling:
                    handling.append(1)
                    if closes:
                        logger.close(0)
                    write("handler")
                    handling.clear()

            signal.signal(signal.SIGVTALRM, handle)
            signal.setitimer(signal.ITIMER_VIRTUAL, 0.001, 0.001)
            while written["handler"] < 100:
                write("main")
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            logger.close(60)
            account = logger.status()
            assert account.appended == account.shipped == written.total()

        assert child_does(work, while_held=contextlib.nullcontext())

    @pytest.mark.parametrize("what", ["close", "status"])
    def test_whose_handler_does_the_same_may_interrupt_it_at_any_call(
        self, tmp_path: Path, what: str
    ) -> None:
        def work() -> None:
            logger = EnhancedCSVLogger(base_path=tmp_path)
            do = {"close": lambda: logger.close(0), "status": logger.status}[what]
            logger.start()
            assert logger.shipper.drain(60)
            for number in itertools.count(1):
                logger.log(None, "api_logs", {"method": "GET", "endpoint": "/"})
                if not is_interrupted(do, number, do):
                    break
            logger.start()
            logger.close(60)
            assert logger.status().shipped == number

        assert child_does(work, while_held=contextlib.nullcontext())


def is_interrupted(work: Callable[[], object], at: int, by: Callable[[], object]) -> bool:
    """Do `work`, and the other in the middle of it, where a signal's handler may come: at this
    one of its calls. Whether there are so many, but for those of accounting, which reads files."""
    left, reading = at, 0

    def look(frame: FrameType, event: str, _: object) -> None:
        nonlocal left, reading
        if frame.f_code.co_name in {"_table", "totals"}:
            reading += {"call": 1, "return": -1}.get(event, 0)
        if not reading and event in {"call", "c_return"}:
            left -= 1
            if left == 0:
                sys.setprofile(None)
                by()

    sys.setprofile(look)
    try:
        work()
    finally:
        sys.setprofile(None)
    return left <= 0


class TestAFork:
    pytestmark = forks

    def test_while_another_thread_opens_the_store_does_not_stop_the_child(
        self, logger: EnhancedCSVLogger
    ) -> None:
        def work() -> None:
            logger.log(None, "api_logs", {"method": "GET", "endpoint": "/"})
            logger.close(0)

        assert child_does(work, while_held=logger._lock)

    def test_closes_no_file_that_has_the_number_of_one_of_its_parents(
        self, logger: EnhancedCSVLogger, tmp_path: Path
    ) -> None:
        def work() -> None:
            # As a daemon does.
            os.closerange(3, 256)
            files = [os.open(tmp_path / "own", os.O_RDWR | os.O_CREAT) for _ in range(100)]
            logger.log(None, "api_logs", {"method": "GET", "endpoint": "/child"})
            logger.close(0)
            own = {(stat.st_ino, stat.st_size) for stat in map(os.fstat, files)}
            assert own == {((tmp_path / "own").stat().st_ino, 0)}

        logger.log(None, "api_logs", {"method": "GET", "endpoint": "/"})
        wait_until(lambda: logger.status().shipped == 1, what="the row")

        assert child_does(work, while_held=contextlib.nullcontext())
        assert len(rows(tmp_path, "api_logs")) == 2
