"""A checkout of the project in a folder of its own, as a stranger has it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from commands.kit.environment import ROOT, VENV
from tests.support.live_app import clean_env
from tests.support.parts import needs
from tests.support.processes import Program, answers, finish, free_port

_COPIED = (
    *("manage.py", "app", "benchmarks", "commands", "migrations", ".ci", ".env.example"),
    *("pyproject.toml", "package.json", "package-lock.json"),
    *("requirements-pip.txt", "requirements.txt", "requirements-dev.txt", "requirements-bench.txt"),
)


@dataclass
class Checkout:
    """The project's files in `folder`. Its `.venv` is this test run's unless taken away."""

    folder: Path
    env: dict[str, str] = field(default_factory=lambda: clean_env(LANG="C.UTF-8"))

    @property
    def env_file(self) -> Path:
        return self.folder / ".env"

    def manage(
        self, *arguments: str, python: Sequence[str] = (sys.executable,), **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Run `manage.py` to its end; standard error is part of `stdout`."""
        command = [*python, str(self.folder / "manage.py"), *arguments]
        # It must not matter where one stands.
        return finish(command, self.env | env, self.folder.parent)

    def refuse(self, *arguments: str, **env: str) -> str:
        """Run it where it must say no; the one sentence that it says."""
        done = self.manage(*arguments, **env)
        assert done.returncode == 1, done.stdout
        assert done.stdout.count("\n") == 1, done.stdout
        return done.stdout.strip()

    @property
    def venv(self) -> Path:
        return self.folder / VENV.name

    def link_venv(self) -> None:
        self.venv.symlink_to(VENV, target_is_directory=True)

    def without_venv(self) -> "Checkout":
        self.venv.unlink()
        return self


@pytest.fixture
def own_checkout(tmp_path: Path) -> Checkout:
    """For a test that changes files of the project."""
    return _check_out(tmp_path)


@pytest.fixture
def checkout(_checkout: Checkout) -> Iterator[Checkout]:
    """For all others: one. What is made in it, such as `.env` and data, goes with the test."""
    there = {path.name for path in _checkout.folder.iterdir()}
    yield _checkout
    _checkout.folder.chmod(0o755)
    if not _checkout.venv.is_symlink():
        _checkout.link_venv()
    for path in _checkout.folder.iterdir():
        if path.name not in there:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.fixture(scope="session")
def _checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return _check_out(tmp_path_factory.mktemp("shared"))


def _check_out(parent: Path) -> Checkout:
    folder = parent / "my project"
    folder.mkdir()
    if cp := shutil.which("cp"):  # three times as fast
        subprocess.run([cp, "-a", *(str(ROOT / name) for name in _COPIED), folder], check=True)
    else:
        for name in _COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, folder / name)  # with the bytecode: it starts faster
            else:
                shutil.copy2(ROOT / name, folder / name)
    (folder / "node_modules").symlink_to(ROOT / "node_modules", target_is_directory=True)
    checkout = Checkout(folder)
    checkout.link_venv()
    return checkout


class Run(Program):
    """`manage.py run` in a checkout."""

    def __init__(self, checkout: Checkout, *arguments: str, **env: str) -> None:
        port = free_port()
        self.origin = f"http://127.0.0.1:{port}"
        super().__init__(
            [str(VENV / "bin" / "python"), "manage.py", "run", "--port", str(port), *arguments],
            ready=lambda: answers(f"{self.origin}/healthz"),
            log=checkout.folder / "output.log",
            env=checkout.env | env,
            cwd=checkout.folder,
        )


StartRun = Callable[..., Run]


@pytest.fixture
def run(checkout: Checkout) -> Iterator[StartRun]:
    """`run(*arguments, **env)`: the app, started and answering; it ends with the test."""
    runs: list[Run] = []

    def start(*arguments: str, checkout: Checkout = checkout, **env: str) -> Run:
        runs.append(Run(checkout, *arguments, **env))
        runs[-1].start()
        return runs[-1]

    yield start
    for one in runs:
        one.kill()


@pytest.fixture(scope="session")
def base_python() -> list[str]:
    """The Python that made `.venv`, without its packages."""
    return [str(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info[1]}")]


@pytest.fixture(scope="session")
def ordinary(base_python: list[str]) -> list[str]:
    """The same, under the file permissions of an ordinary person also where tests run as root."""
    if os.geteuid() != 0:
        return base_python
    setpriv = shutil.which("setpriv")
    needs("setpriv", there=setpriv is not None, mend="install util-linux, or do not run as root")
    return [str(setpriv), "--bounding-set=-dac_override,-dac_read_search", *base_python]
