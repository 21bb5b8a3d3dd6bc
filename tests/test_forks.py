"""What a test forks ends and tells as a program does that is started."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from execnet import XSpec

from tests.support.forks import Fork
from tests.support.processes import finish
from tests.support.workers import forked

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="nothing is forked there")


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("print('done')", 0, "done\n"),
        ("sys.exit(3)", 3, ""),
        ("sys.exit('No.')", 1, "No.\n"),
        ("1 / 0", 1, "ZeroDivisionError: division by zero\n"),
        ("os.kill(os.getpid(), 9)", -signal.SIGKILL, ""),
        ("print(sys.argv[1:], __name__, os.getcwd())", 0, "['a', 'b'] __main__ {folder}\n"),
        ("print(*sorted(os.environ))", 0, "MINE\n"),
        ("print('app' in sys.modules, sys.path[0])", 0, "False {folder}\n"),
    ],
)
def test_a_script_ends_and_tells_as_if_python_had_started_it(
    tmp_path: Path, code: str, status: int, said: str
) -> None:
    (tmp_path / "manage.py").write_text(f"import os, sys\n{code}\n", encoding="utf-8")

    for own in ({}, {"PYTHONUTF8": "1"}):  # forked, and started
        done = finish([sys.executable, "manage.py", "a", "b"], {"MINE": "1"} | own, tmp_path)

        assert done.returncode == status
        told = done.stdout.replace("MINE PYTHONUTF8", "MINE")
        assert told.endswith(said.format(folder=tmp_path))
        assert bool(told) == bool(said)


def test_tests_of_a_copy_are_read_there_and_say_what_they_compare(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/__init__.py").write_text("NUMBERS = [1, 2]\n", encoding="utf-8")
    test = "from app import NUMBERS\ndef test_it(): assert NUMBERS == [1, 3]\n"
    (tmp_path / "test_it.py").write_text(test, encoding="utf-8")

    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    done = finish(command, {"MINE": "1"}, tmp_path)

    assert done.returncode == 1
    assert "At index 1 diff: 2 != 3" in done.stdout


def test_processes_that_are_asked_for_in_a_way_of_their_own_are_not_forked(
    request: pytest.FixtureRequest,
) -> None:
    specs = [XSpec("popen"), XSpec("popen//python=python3")]

    forked(request.config, specs, "none")

    assert [spec.python for spec in specs] == [None, "python3"]


def test_it_is_waited_for_and_ended(tmp_path: Path) -> None:
    with (tmp_path / "output").open("wb") as output:
        fork = Fork(time.sleep, 600, output=output.fileno())

    with pytest.raises(subprocess.TimeoutExpired):
        fork.wait(0.01)
    assert fork.poll() is None
    fork.terminate()

    assert fork.wait() == fork.poll() == -signal.SIGTERM
    fork.kill()  # harmless once it is gone


def test_it_has_no_descriptor_of_others(tmp_path: Path) -> None:
    with (tmp_path / "output").open("w+b") as output:
        first, second = (Fork(tell_descriptors, output=output.fileno()) for _ in range(2))
        assert (first.wait(), second.wait()) == (0, 0)
        output.seek(0)
        assert output.read() == b"[0, 1, 2]\n" * 2


def tell_descriptors() -> None:
    there = []
    for descriptor in range(256):
        try:
            os.fstat(descriptor)
        except OSError:
            continue
        there.append(descriptor)
    sys.stdout.write(f"{there}\n")
