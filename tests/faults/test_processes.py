"""Processes that are killed, stopped and let go on, at any moment."""

import random
import signal
import sys
import time
from pathlib import Path

import pytest

from app.lib.tracelog.shipper.election import LOCK_NAME, Election
from tests.faults.ledger import account_of
from tests.faults.scene import Scene
from tests.support.processes import SPARE_SECONDS
from tests.support.turso import TursoServer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL and SIGSTOP")

ROTATES = ("--segment-bytes", "200000")


@pytest.mark.parametrize(
    ("size", "together"), [(300, 1), (6_000, 1), (100_000, 1), (300, 8), (6_000, 8)]
)
def test_of_four_writers_one_is_killed(scene: Scene, size: int, together: int) -> None:
    """Each of them delivers if need be, and whichever does so may be the one."""
    draw = random.Random(size * together)
    scene.ledger.together = together
    options = ["--size", str(size), "--segment-bytes", str(40 * size), "--pause", "0.004"]
    options += ["--together", str(together)]
    writers = [scene.writer(f"w{n}", *options) for n in range(4)]
    victim = draw.choice(writers)
    many = scene.ledger.total() + draw.randrange(20, 200)
    scene.wait_for(lambda: scene.ledger.total() > many, "rows")

    victim.process.send_signal(signal.SIGKILL)

    many = scene.ledger.total() + 40
    scene.wait_for(lambda: scene.ledger.total() > many, "more rows")
    scene.stop(*(writer for writer in writers if writer is not victim))
    scene.settle()
    scene.check(killed=1)


@pytest.mark.parametrize("batches", [1, 3])
def test_the_shipper_is_killed_between_the_stores_answer_and_its_checkpoint(
    scene: Scene, open_sqld: TursoServer, batches: int
) -> None:
    scene.url = open_sqld.url
    scene.writer("w", "--rows", "2000", "--pause", "0", *ROTATES, deliver=False).wait()
    victim = scene.deliverer("victim", "--die-after", str(batches), "--batch-rows", "300")

    assert victim.wait() == -signal.SIGKILL
    assert scene.store.query("SELECT count(*) FROM api_logs").rows == [(300 * batches,)]
    assert scene.shipped() <= 300 * batches
    scene.settle()

    scene.check()
    assert account_of(scene.log_dir).known >= 300


@pytest.mark.parametrize("child", ["alone", "with a child that lives on"])
def test_a_leader_is_killed_and_another_delivers_within_two_seconds(
    scene: Scene, child: str
) -> None:
    leader = scene.deliverer("leader", *(["--fork"] if "with" in child else []))
    scene.wait_for(lambda: pid_of_leader(scene) == leader.process.pid, "the leader")
    follower = scene.deliverer("follower")
    writer = scene.writer("w", "--pause", "0.002", deliver=False)
    scene.wait_for(lambda: scene.shipped() > 20, "the first rows")

    leader.process.send_signal(signal.SIGKILL)
    shipped = scene.shipped()

    scene.wait_for(
        lambda: pid_of_leader(scene) == follower.process.pid, "its successor", 2 + SPARE_SECONDS
    )
    scene.wait_for(lambda: scene.shipped() > shipped, "its successor's rows")
    scene.stop(writer, follower)
    scene.settle()
    scene.check()


def test_a_leader_is_stopped_for_longer_than_it_takes_to_replace_it_and_goes_on(
    scene: Scene, open_sqld: TursoServer
) -> None:
    """With a file as the store it may keep SQLite's lock, and its successor's rows wait for it."""
    scene.url = open_sqld.url
    leader = scene.deliverer("leader", "--batch-rows", "20")
    scene.wait_for(lambda: pid_of_leader(scene) == leader.process.pid, "the leader")
    follower = scene.deliverer("follower")
    writer = scene.writer("w", "--pause", "0.001", *ROTATES, deliver=False)
    scene.wait_for(lambda: scene.shipped() > 20, "the first rows")

    leader.pause()
    scene.wait_for(
        lambda: pid_of_leader(scene) == follower.process.pid, "its successor", 2 + SPARE_SECONDS
    )
    shipped = scene.shipped()
    scene.wait_for(lambda: scene.shipped() > shipped + 100, "its successor's rows")
    leader.resume()
    many = scene.ledger.total() + 300
    scene.wait_for(lambda: scene.ledger.total() > many, "more rows")

    assert pid_of_leader(scene) == follower.process.pid
    assert writer.stop() == 0
    assert follower.stop() == 0
    scene.wait_for(lambda: pid_of_leader(scene) == leader.process.pid, "the old leader again", 2)
    assert leader.stop() == 0
    scene.settle()
    scene.check()


@pytest.mark.parametrize("fault", ["killed", "stopped"])
def test_the_server_fails_in_the_middle_of_batches(
    scene: Scene, open_sqld: TursoServer, fault: str
) -> None:
    scene.url = open_sqld.url
    draw = random.Random(fault)
    deliverer = scene.deliverer("deliverer", "--batch-rows", "100")
    writer = scene.writer("w", "--pause", "0.001", "--size", "1000", *ROTATES, deliver=False)
    for _ in range(3):
        shipped = scene.shipped()
        scene.wait_for(lambda n=shipped: scene.shipped() > n, "rows")  # type: ignore[misc]
        time.sleep(draw.random() * 0.05)
        if fault == "killed":
            open_sqld.kill()
            open_sqld.start()
        else:
            open_sqld.pause()
            time.sleep(0.3)
            open_sqld.resume()

    scene.stop(writer, deliverer)
    scene.settle()
    scene.check()


def test_two_instances_with_one_store_between_them(
    scene: Scene, tmp_path: Path, open_sqld: TursoServer
) -> None:
    """As two machines have it: a log folder each, and no way to know of each other."""
    other = Scene(tmp_path / "other", tmp_path / "other" / "logs")
    for each, name in ((scene, "here"), (other, "there")):
        each.folder.mkdir(exist_ok=True)
        each.url = open_sqld.url
        each.writer(name, "--rows", "600", "--pause", "0.001", *ROTATES)
    for each in (scene, other):
        assert each.programs[0].wait() == 0
        each.settle()

    stored = scene.store.query("SELECT count(*), count(DISTINCT endpoint) FROM api_logs").rows
    other.end()
    assert stored == [(1200, 1200)]
    assert scene.shipped() == other.shipped() == 600


def pid_of_leader(scene: Scene) -> int | None:
    return Election.holder(scene.log_dir / LOCK_NAME)
