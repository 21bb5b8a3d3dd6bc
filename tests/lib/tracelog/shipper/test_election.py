"""One process delivers; when it is gone, another does."""

import contextlib
import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.lib.tracelog.journal import locks
from app.lib.tracelog.shipper.election import Election
from tests.support.processes import wait_until

posix_only = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks do not exist here")

LEADER = """
import os, sys, time
from pathlib import Path
from app.lib.tracelog.shipper.election import Election
election = Election(Path(sys.argv[1]))
assert election.lead()
if sys.argv[2] == "with a child" and os.fork() == 0:
    time.sleep(60)
print("leads", os.getpid(), flush=True)
time.sleep(60)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / ".shipper.lock"


@pytest.fixture
def start_leader(path: Path) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def start(how: str) -> subprocess.Popen[str]:
        leader = subprocess.Popen(
            [sys.executable, "-c", LEADER, str(path), how],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(leader)
        assert leader.stdout is not None
        assert leader.stdout.readline().startswith("leads")
        return leader

    yield start
    for leader in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(leader.pid, signal.SIGKILL)
        leader.communicate()


def test_the_first_leads_until_it_resigns(path: Path) -> None:
    first, second = Election(path), Election(path)

    assert first.lead()
    assert first.lead()
    assert not second.lead()
    first.resign()
    assert not first.leads()
    assert second.lead()
    second.resign()


@posix_only
@pytest.mark.parametrize("how", ["alone", "with a child"])
def test_after_a_kill_another_leads_within_two_seconds(
    path: Path, start_leader: Callable[[str], subprocess.Popen[str]], how: str
) -> None:
    leader, election = start_leader(how), Election(path)
    assert not election.lead()

    started = time.monotonic()
    leader.kill()
    wait_until(election.lead, seconds=2)

    assert time.monotonic() - started < 2
    election.resign()


@posix_only
def test_a_leader_that_is_stopped_stays_the_leader(
    path: Path, start_leader: Callable[[str], subprocess.Popen[str]]
) -> None:
    leader, election = start_leader("alone"), Election(path)

    leader.send_signal(signal.SIGSTOP)
    assert not election.lead()
    leader.send_signal(signal.SIGCONT)
    assert not election.lead()


@posix_only
def test_a_forked_child_neither_leads_nor_ends_its_parents_lead(path: Path) -> None:
    parent, other = Election(path), Election(path)
    assert parent.lead()
    child = os.fork()
    if child == 0:
        parent.resign()
        os._exit(0 if not parent.leads() and not parent.lead() else 1)

    assert os.waitpid(child, 0)[1] == 0
    assert parent.leads()
    assert not other.lead()
    parent.resign()


def test_whoever_lost_the_locks_file_leads_no_more(path: Path) -> None:
    first, second = Election(path), Election(path)
    assert first.lead()
    path.unlink()

    assert not first.leads()
    assert second.lead()
    assert not first.lead()
    second.resign()


def test_where_nothing_can_be_locked_each_leads(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(_: int) -> bool:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks, "try_lock", no_locks)
    first, second = Election(path), Election(path)

    assert first.lead()
    assert second.lead()
    first.resign()
    second.resign()
