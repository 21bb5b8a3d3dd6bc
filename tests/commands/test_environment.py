"""The project's own Python: its packages are installed once, whole, by one command at a time."""

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.lib.tracelog.journal.locks import try_lock
from commands.kit import door, environment
from commands.kit.environment import ROOT, STAMP, VENV
from commands.kit.words import Failure
from tests.commands.conftest import Checkout

_METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
_WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


class Installation:
    """A checkout with an empty `.venv`, and a folder of packages instead of the network."""

    def __init__(self, checkout: Checkout, tmp_path: Path) -> None:
        self.checkout = checkout.without_venv()
        venv.EnvBuilder(symlinks=True).create(checkout.folder / ".venv")
        # pip itself comes from this run's .venv: bringing it anew would take seconds.
        self.library = tmp_path / "library"
        self.library.mkdir()
        (installed,) = (VENV / "lib").glob("python3*/site-packages")
        for part in (installed / "pip", next(installed.glob("pip-*.dist-info"))):
            (self.library / part.name).symlink_to(part, target_is_directory=True)
        self.stamp = checkout.folder / ".venv" / STAMP.name
        self.packages = tmp_path / "packages"
        self.packages.mkdir()
        self.env = {
            "PYTHONPATH": str(self.library),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.packages),
        }
        self.digest = self.offers("demo", "1.0", "demo.py", "")

    def offers(self, name: str, version: str, module: str, code: str) -> str:
        """The digest of a new package of one module."""
        wheel = self.packages / f"{name}-{version}-py3-none-any.whl"
        info = f"{name}-{version}.dist-info"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr(module, code)
            archive.writestr(f"{info}/METADATA", _METADATA.format(name=name, version=version))
            archive.writestr(f"{info}/WHEEL", _WHEEL)
            archive.writestr(f"{info}/RECORD", "")
        return hashlib.sha256(wheel.read_bytes()).hexdigest()

    def wants(self, package: str, digest: str) -> None:
        requirements = self.checkout.folder / "requirements.txt"
        requirements.write_text(f"{package} --hash=sha256:{digest}\n", encoding="utf-8")

    def provide(self, **env: str) -> str:
        """What is said while the packages are provided."""
        with self.providing(**env) as process:
            said = process.communicate()[1]
        assert process.returncode == 0
        return said

    def providing(self, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [
                str(self.checkout.folder / ".venv" / "bin" / "python"),
                "-c",
                "import sys; from commands.kit import environment as e, words\n"
                "try: e.provide(['requirements.txt'])\n"
                "except words.Failure as failure: print(failure, file=sys.stderr)",
            ],
            cwd=self.checkout.folder,
            env=self.checkout.env | self.env | env,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def installation(own_checkout: Checkout, tmp_path: Path) -> Installation:
    return Installation(own_checkout, tmp_path)


def test_packages_are_installed_once_and_again_only_when_the_list_changes(
    installation: Installation,
) -> None:
    installation.wants("demo==1.0", installation.digest)
    (site,) = (installation.checkout.folder / ".venv" / "lib").glob("python3*/site-packages")

    assert installation.provide().startswith("Installing the packages of requirements.txt")
    assert (site / "demo.py").exists()
    assert not list(site.glob("__pycache__/demo.*"))
    assert installation.provide() == ""

    (site / "demo.py").unlink()
    shutil.rmtree(site / "demo-1.0.dist-info")
    installation.wants("# again\ndemo==1.0", installation.digest)
    assert installation.provide(PYTHONDONTWRITEBYTECODE="1").startswith("Installing")
    assert list(site.glob("__pycache__/demo.*")), "compiled, where Python itself does not"


def test_the_locked_pip_comes_first_and_installs_all_others(installation: Installation) -> None:
    code = "import sys; print('the locked pip is asked for', *sys.argv[1:])"
    digest = installation.offers("pip", "99.0", "pip/__main__.py", code)
    locked = installation.checkout.folder / environment.PIP.name
    locked.write_text(f"pip==99.0 --hash=sha256:{digest}\n", encoding="utf-8")
    shutil.rmtree(installation.library)  # none is there but the one that Python brings
    installation.wants("demo==1.0", installation.digest)

    installation.provide()

    assert installation.stamp.exists()
    log = (installation.checkout.folder / ".venv" / "install.log").read_text(encoding="utf-8")
    assert "Successfully installed pip-99.0\nthe locked pip is asked for install" in log


def test_one_package_that_cannot_be_had_fails_the_whole(installation: Installation) -> None:
    installation.wants("demo==1.0", installation.digest)
    requirements = installation.checkout.folder / "requirements.txt"
    with requirements.open("a", encoding="utf-8") as more:
        more.write(f"other==1.0 --hash=sha256:{'0' * 64}\n")

    said = installation.provide().splitlines()

    assert said[1].startswith("A package is not offered for this Python and machine")
    assert not installation.stamp.exists()


@pytest.mark.parametrize(("command", "compiles"), [("test", True), ("ci", True), ("run", False)])
def test_what_many_programs_of_the_tests_read_is_compiled_once(
    monkeypatch: pytest.MonkeyPatch, command: str, *, compiles: bool
) -> None:
    # What is remembered is of the whole process.
    monkeypatch.setattr("commands.kit.starting_folder.remember", lambda: None)
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def provide(files: Sequence[str]) -> None:
        assert (not sys.dont_write_bytecode) is compiles
        assert ("PYTHONDONTWRITEBYTECODE" not in os.environ) is compiles
        raise Failure("no_venv_module")

    monkeypatch.setattr(environment, "provide", provide)

    assert door.main([command]) == 1


def test_of_two_commands_in_one_folder_the_second_waits_and_installs_nothing_again(
    installation: Installation,
) -> None:
    installation.wants("demo==1.0", installation.digest)
    installation.provide()
    done = installation.stamp.read_text()
    installation.stamp.unlink()  # as if the first one were still at it

    with (installation.checkout.folder / "manage.py").open() as turn:
        assert try_lock(turn.fileno())
        second = installation.providing()
        assert second.stderr is not None
        assert second.stderr.readline().startswith("Another command is preparing this folder")
        installation.stamp.write_text(done)
    with second:
        assert second.communicate()[1] == ""
    assert second.returncode == 0


def test_without_a_network_that_is_what_it_says(installation: Installation) -> None:
    installation.wants("demo==1.0", installation.digest)
    dead = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "1", "PIP_NO_INDEX": ""}

    said = installation.provide(**dead, PIP_FIND_LINKS="").splitlines()

    assert len(said) == 2
    assert said[1].startswith("The packages could not be downloaded; check the network")
    log = os.path.join(".venv", "install.log")  # noqa: PTH118 # a relative path as it is printed
    assert log in said[1]


@pytest.mark.parametrize(
    ("package", "digest", "sentence"),
    [
        ("demo==1.0", "0" * 64, "A downloaded package is not the one that was locked"),
        ("demo==2.0", "0" * 64, "A package is not offered for this Python and machine"),
        ("demo = = 1", "0" * 64, "The packages could not be installed"),
    ],
)
def test_an_install_that_fails_has_its_own_sentence(
    installation: Installation, package: str, digest: str, sentence: str
) -> None:
    installation.wants(package, digest)

    assert installation.provide().splitlines()[1].startswith(sentence)
    assert not installation.stamp.exists(), "a failure must not count as done"


def test_a_package_that_has_to_be_compiled_and_cannot_be_is_told_as_not_offered(
    installation: Installation,
) -> None:
    source = installation.packages / "native-1.0.tar.gz"
    files = {
        "pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = 'backend'\n"
        "backend-path = ['.']\n",
        "backend.py": "def build_wheel(*_): raise SystemExit('no compiler')\n",
        "PKG-INFO": _METADATA.format(name="native", version="1.0"),
    }
    with tarfile.open(source, "w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(f"native-1.0/{name}")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    installation.wants("native==1.0", hashlib.sha256(source.read_bytes()).hexdigest())

    said = installation.provide().splitlines()

    assert said[1].startswith("A package is not offered for this Python and machine")


def test_a_venv_whose_python_is_gone_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / ".venv"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to("/nowhere/python3")
    (folder / "left.txt").touch()
    monkeypatch.setattr(environment, "VENV", folder)
    monkeypatch.setattr(environment, "PYTHON", folder / "bin" / "python")
    went_on: list[bool] = []
    monkeypatch.setattr(environment, "_continue_in_venv", lambda: went_on.append(True))
    monkeypatch.setenv("LANG", "C.UTF-8")

    environment.provide(["requirements.txt"])

    # After what is said where another program is at it, as another test.
    assert "Making .venv for Python 3." in capsys.readouterr().err
    assert (folder / "bin" / "python").exists()
    assert not (folder / "left.txt").exists()
    assert went_on
