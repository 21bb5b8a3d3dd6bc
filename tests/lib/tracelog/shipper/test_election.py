"""One process delivers; when it is gone, another does."""

import contextlib
import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.lib.tracelog.ids import NODES, IdGenerator
from app.lib.tracelog.journal import locks
from app.lib.tracelog.shipper import election as election_module
from app.lib.tracelog.shipper.election import SILENT_SECONDS, Election
from tests.lib.tracelog.forks import forks
from tests.support.processes import SPARE_SECONDS, open_descriptors, wait_until

LEADER = """
import os, sys, time
from pathlib import Path
from app.lib.tracelog.shipper.election import Election
election = Election(Path(sys.argv[1]))
assert election.lead()
if sys.argv[2] == "with a child" and os.fork() == 0:
    time.sleep(60)
print("leads", os.getpid(), flush=True)
while sys.stdin.readline():
    print(election.leads(), flush=True)
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
            stdin=subprocess.PIPE,
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


def says(leader: "subprocess.Popen[str]") -> str:
    """Whether the leader's process thinks that it leads."""
    assert leader.stdin
    assert leader.stdout
    leader.stdin.write("?\n")
    leader.stdin.flush()
    return leader.stdout.readline().strip()


def wait_until_somebody_leads(path: Path, candidate: Election) -> None:
    stopped = Election.holder(path)
    wait_until(
        lambda: candidate.lead() or Election.holder(path) != stopped, seconds=4 + SPARE_SECONDS
    )


def test_the_first_leads_until_it_resigns(path: Path) -> None:
    first, second = Election(path), Election(path)

    assert first.lead()
    assert first.lead()
    assert not second.lead()
    first.resign()
    assert not first.leads()
    assert second.lead()
    second.resign()


@forks
@pytest.mark.parametrize("how", ["alone", "with a child"])
def test_after_a_kill_another_leads_within_two_seconds(
    path: Path, start_leader: Callable[[str], subprocess.Popen[str]], how: str
) -> None:
    leader, election = start_leader(how), Election(path)
    assert not election.lead()

    leader.kill()
    wait_until(election.lead, seconds=2 + SPARE_SECONDS)

    election.resign()


@forks
def test_a_leader_that_is_stopped_is_replaced_within_two_seconds_and_notices(
    path: Path, start_leader: Callable[[str], subprocess.Popen[str]]
) -> None:
    leader, election = start_leader("alone"), Election(path)
    assert not election.lead()

    leader.send_signal(signal.SIGSTOP)
    wait_until(election.lead, seconds=2 + SPARE_SECONDS)

    leader.send_signal(signal.SIGCONT)
    assert says(leader) == "False"
    assert election.leads()
    assert Election.holder(path) == os.getpid()
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    election.resign()


@forks
def test_a_leader_that_only_waits_stays_the_leader(
    path: Path, start_leader: Callable[[str], subprocess.Popen[str]]
) -> None:
    leader, election = start_leader("alone"), Election(path)
    deadline = time.monotonic() + 2 * SILENT_SECONDS

    while time.monotonic() < deadline:
        assert not election.lead()
        time.sleep(0.05)

    assert says(leader) == "True"


@forks
def test_of_several_that_replace_a_stopped_leader_one_stays(
    path: Path, start_leader: Callable[[str], subprocess.Popen[str]]
) -> None:
    leader, candidates = start_leader("alone"), [Election(path) for _ in range(8)]
    leader.send_signal(signal.SIGSTOP)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda each: wait_until_somebody_leads(path, each), candidates))

    leading = [each for each in candidates if each.leads()]
    assert len(leading) == 1
    assert all(each.lead() == (each in leading) for each in candidates)
    for each in candidates:
        each.resign()


def test_a_candidate_that_did_not_look_for_long_takes_nobody_for_stopped(path: Path) -> None:
    now = [0.0]
    leader, candidate = Election(path), Election(path, clock=lambda: now[0])
    assert leader.lead()
    leader._beat_ended.set()
    assert not candidate.lead()

    now[0] += 3600.0

    assert not candidate.lead()
    leader.resign()


def test_a_candidate_that_looks_often_takes_nobody_for_stopped(path: Path) -> None:
    leader, candidate = Election(path), Election(path, clock=lambda: 0.0)
    assert leader.lead()
    leader._beat_ended.set()

    assert not any(candidate.lead() for _ in range(10))
    leader.resign()


def test_a_leader_that_moves_now_and_then_stays_the_leader(path: Path) -> None:
    now = [0.0]
    leader, candidate = Election(path), Election(path, clock=lambda: now[0])
    assert leader.lead()
    leader._beat_ended.set()

    for look in range(10):
        if look % 3 == 0:
            os.utime(path, (look, look))
        now[0] += 0.5
        assert not candidate.lead()
    leader.resign()


def silent_for_long(path: Path) -> Election:
    """One that takes the leader for stopped when it looks the next time."""
    now = [0.0]
    candidate = Election(path, clock=lambda: now[0])
    for _ in range(3):
        assert not candidate.lead()
        now[0] += 0.5
    return candidate


@forks
def test_whoever_replaces_a_silent_leader_too_late_leaves_the_one_that_was_quicker(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leader, quick, sign = Election(path), Election(path), election_module._sign
    assert leader.lead()
    leader._beat_ended.set()
    late = silent_for_long(path)
    before = open_descriptors()

    def overtaken(fd: int) -> None:
        monkeypatch.undo()
        path.unlink()
        assert quick.lead()
        sign(fd)

    monkeypatch.setattr(election_module, "_sign", overtaken)
    assert not late.lead()

    assert quick.leads()
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert open_descriptors() == before + 1
    quick.resign()
    leader.resign()


@forks
def test_a_silent_leader_that_cannot_be_replaced_now_leaves_nothing_behind(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leader = Election(path)
    assert leader.lead()
    leader._beat_ended.set()
    candidate = silent_for_long(path)
    before = open_descriptors()

    def refuse(*_: object) -> None:
        raise OSError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refuse)
        with pytest.raises(OSError, match="Permission denied"):
            candidate.lead()

    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert open_descriptors() == before
    assert candidate.lead()
    candidate.resign()
    leader.resign()


@forks
def test_asking_who_leads_leaves_no_file_open(path: Path) -> None:
    leader, candidate = Election(path), Election(path)
    before = open_descriptors()
    assert leader.lead()
    for _ in range(3):
        assert not candidate.lead()
        assert Election.holder(path) == os.getpid()
    path.unlink()
    assert leader.lead()
    assert open_descriptors() == before + 1
    leader.resign()

    # Its process id is still in the file.
    assert Election.holder(path) is None
    assert open_descriptors() == before


def test_a_leader_that_has_not_signed_is_nobody_that_could_be_told(path: Path) -> None:
    leader = Election(path)
    assert leader.lead()
    os.truncate(path, 0)

    assert Election.holder(path) is None
    leader.resign()


def test_a_lead_that_is_given_away_stays_with_whoever_has_the_same_open_file(path: Path) -> None:
    before = beating()
    giver, taker, other = Election(path), Election(path), Election(path)
    assert giver.lead()
    lock = os.dup(giver.lock)
    os.set_inheritable(lock, True)
    os.lseek(lock, 0, os.SEEK_SET)
    os.write(lock, b"%-19d\n" % 1)

    giver.give_away()
    assert not giver.leads()
    assert not other.lead()
    taker.adopt(lock)
    assert taker.leads()
    assert Election.holder(path) == os.getpid()
    assert not os.get_inheritable(taker.lock)
    taker.resign()

    assert other.lead()
    other.resign()
    wait_until(lambda: beating() <= before, what="the end of the threads of all three")


def beating() -> set[threading.Thread]:
    return {each for each in threading.enumerate() if each.name == "tracelog-beat"}


def test_whoever_leads_again_knows_that_it_is_another_term(path: Path) -> None:
    election = Election(path)
    assert election.lead()
    assert election.lead()
    path.unlink()
    assert election.lead()

    assert election.terms == 2
    election.resign()


@forks
def test_a_child_of_a_process_that_has_closed_all_its_files_begins_anew_all_the_same(
    path: Path,
) -> None:
    election, ids = Election(path), IdGenerator(node=1)
    assert election.lead()
    os.close(election.lock)
    if (child := os.fork()) == 0:
        os._exit(0 if election.lock == -1 and ids.next() % NODES != 1 else 1)
    assert os.waitpid(child, 0)[1] == 0

    election.resign()


@forks
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


def test_where_nothing_can_be_locked_each_leads_and_says_so_once(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_locks(_: int) -> bool:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks, "try_lock", no_locks)
    first, second = Election(path), Election(path)

    assert first.lead()
    assert second.lead()
    first.resign()
    assert first.lead()
    assert caplog.text.count("cannot be locked; each process delivers all rows") == 2
    first.resign()
    second.resign()
