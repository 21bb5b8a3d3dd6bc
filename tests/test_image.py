"""The image: its Dockerfile, and its start command where there is no Docker.

The container is played by a folder with what `.dockerignore` lets in, a `.venv` with the packages
of `requirements.txt` alone, file permissions that allow reading only, and a user without rights.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import httpx
import pytest
from packaging.requirements import Requirement

from app.config import Settings
from app.jobs import engine
from app.lib.env_file import value_of
from app.main import DRAIN_SECONDS
from commands.kit import environment, serving
from commands.kit.environment import ROOT
from tests.support.live_app import clean_env
from tests.support.parts import needs
from tests.support.processes import Program, answers, free_port

USER = 10001
RENDER_SECONDS = 30
KEY = "a key that only the tests of the image know"
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
_STEPS = re.sub(r"\\\n\s*", "", DOCKERFILE.rpartition("\nFROM ")[2]).splitlines()


def step(name: str) -> str:
    """What follows the last step of this name in the stage that is kept."""
    return [line.partition(f"{name} ")[2] for line in _STEPS if line.startswith(f"{name} ")][-1]


def command(name: str) -> list[str]:
    """The words of `CMD`, or of the one in `HEALTHCHECK`."""
    words: list[str] = json.loads(step(name).rpartition("CMD ")[2])
    return words


@dataclass
class Image:
    """The image's `/app` in `app`, its `/data` in `data`."""

    app: Path
    data: Path

    def words(self, command: list[str]) -> list[str]:
        """A command of the image as its user runs it here."""
        words = [word.replace("/app/", f"{self.app}/", 1) for word in command]
        if os.geteuid() != 0:
            return words
        ids = (f"--reuid={USER}", f"--regid={USER}", "--clear-groups")
        return ["setpriv", *ids, "--no-new-privs", "--inh-caps=-all", *words]

    def env(self, **env: str) -> dict[str, str]:
        settings = dict(word.split("=", 1) for word in shlex.split(step("ENV")))
        here = {name: value.replace("/data", str(self.data)) for name, value in settings.items()}
        return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **here, **env}

    def run(self, words: list[str], **env: str) -> subprocess.CompletedProcess[str]:
        """A command in the container, to its end."""
        return subprocess.run(
            self.words(words),
            env=self.env(**{"SECRET_KEY": KEY} | env),
            cwd=self.app,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )

    def files(self) -> set[Path]:
        return set(self.app.rglob("*"))


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    if os.geteuid() == 0:
        needs("setpriv", there=shutil.which("setpriv") is not None, mend="install util-linux")
    folder = Path(tempfile.mkdtemp())  # pytest's own folders are closed to other users
    image = Image(folder / "app", folder / "data")
    folder.chmod(0o755)
    image.data.mkdir()
    _copy_context(image.app)
    _make_venv(image.app / ".venv")
    for name in re.findall(r"ln -s /data (\w+)", DOCKERFILE):
        (image.app / name).symlink_to(image.data)
    if os.geteuid() == 0:
        os.chown(image.data, USER, USER)
    for path in (image.app, *image.app.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o555 if path.is_dir() or os.access(path, os.X_OK) else 0o444)
    yield image
    for path in (image.app, *image.app.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(folder)


def _copy_context(folder: Path) -> None:
    folder.mkdir()
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for name in [line[1:] for line in lines if line.startswith("!")]:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name)
        else:
            shutil.copy2(ROOT / name, folder / name)
    for name in [line for line in lines if re.fullmatch(r"\w[\w/]*", line)]:
        shutil.rmtree(folder / name)


def _make_venv(folder: Path) -> None:
    """With the packages of `requirements.txt` as they are installed here, and no other."""
    venv.EnvBuilder(symlinks=True).create(folder)
    (site,) = folder.glob("lib/python*/site-packages")
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    files: list[str] = []
    for line in re.findall(r"^\w.*?(?= \\$)", text, re.MULTILINE):
        requirement = Requirement(line)
        if requirement.marker and not requirement.marker.evaluate():
            continue
        files += [
            str(file)
            for file in metadata.distribution(requirement.name).files or ()
            if ".." not in file.parts and file.suffix != ".pyc"
        ]
    installed = Path(str(metadata.distribution("pip").locate_file("")))
    # Compiled as they are in the image.
    compiled = [
        str(path.relative_to(installed))
        for name in {file.rpartition("/")[0] for file in files if file.endswith(".py")}
        for path in (installed / name / "__pycache__").glob("*.pyc")
    ]
    copy = ["cp", "--parents", "--preserve=timestamps", "--target-directory", str(site)]
    subprocess.run([*copy, *files, *compiled], cwd=installed, check=True)
    stamp = {"requirements.txt": environment._stamp("requirements.txt")}
    (folder / environment.STAMP.name).write_text(json.dumps(stamp), encoding="utf-8")


@pytest.fixture
def container(image: Image) -> Iterator[Program]:
    port = free_port()
    container = Program(
        image.words(command("CMD")),
        ready=lambda: answers(f"http://127.0.0.1:{port}/healthz"),
        log=image.data.parent / "output.log",
        env=image.env(HOST="127.0.0.1", PORT=f'"{port}"', SECRET_KEY=f'"{KEY}"'),
        cwd=image.app,
    )
    yield container
    container.kill()


def test_it_runs_without_rights_on_files_it_cannot_change(image: Image, container: Program) -> None:
    before = image.files()
    container.start()
    origin = f"http://127.0.0.1:{container.env['PORT'].strip(chr(34))}"

    checked = image.run(command("HEALTHCHECK"), PORT=container.env["PORT"])
    page = httpx.get(f"{origin}/sign-in", trust_env=False, timeout=60)
    smoke = _use(image, origin)
    assert container.stop() == 0

    assert checked.returncode == 0
    assert page.status_code == 200
    assert smoke.returncode == 0, smoke.stdout
    rows = (image.data / "logs" / "api_logs.csv").read_text(encoding="utf-8")
    assert page.headers["x-trace-id"] in rows
    assert image.files() == before
    (quotes,) = [line for line in container.output().splitlines() if "quotes" in line]
    assert json.loads(quotes)["level"] == "WARNING"
    assert KEY not in container.output()


def _use(image: Image, origin: str) -> subprocess.CompletedProcess[str]:
    """As the workflow does with the real image."""
    email = "smoke@example.com"
    python = "/app/.venv/bin/python"
    added = image.run([python, "manage.py", "user", "add", "--admin", email])
    (password,) = re.findall(r" password (\S+) ", added.stdout)
    return subprocess.run(
        [sys.executable, ".github/smoke.py", origin, email, password],
        cwd=ROOT,
        env=clean_env(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )


def test_without_a_key_it_says_what_is_missing(image: Image) -> None:
    done = image.run(command("CMD"), SECRET_KEY="")

    assert done.returncode == 1
    assert done.stdout.startswith("SECRET_KEY is missing")


def test_a_folder_whose_setting_is_empty_can_be_written(image: Image) -> None:
    folders = dict(word.split("=", 1) for word in shlex.split(step("ENV")) if "/data/" in word)
    empty = dict.fromkeys(folders, "")
    done = image.run(["/app/.venv/bin/python", "manage.py", "migrate"], **empty)

    assert done.returncode == 0, done.stdout
    assert (image.data / "app.db").exists()


def test_a_dead_app_is_not_healthy(image: Image) -> None:
    assert image.run(command("HEALTHCHECK"), PORT=str(free_port())).returncode == 1


def test_both_stages_begin_with_one_image_that_cannot_change() -> None:
    """By tag, so that Dependabot knows which next, and by digest."""
    (image,) = set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))
    assert re.fullmatch(r"python:3\.11-slim-\w+@sha256:[0-9a-f]{64}", image)


def test_its_labels_tell_what_it_is() -> None:
    labels = dict(word.split("=", 1) for word in shlex.split(step("LABEL")))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert labels["org.opencontainers.image.title"]
    assert labels["org.opencontainers.image.version"] == project["version"]
    assert labels["org.opencontainers.image.licenses"] == "MIT"


@pytest.mark.parametrize("empty", [{}, {"ENVIRONMENT": "", "HOST": "", "PORT": '""'}])
def test_it_listens_where_platforms_look_for_it(empty: dict[str, str], tmp_path: Path) -> None:
    given = dict(word.split("=", 1) for word in shlex.split(step("ENV")))
    settings = Settings.load({**given, "SECRET_KEY": KEY, **empty}, tmp_path / ".env")
    assert (settings.environment, settings.host) == ("production", "0.0.0.0")
    assert str(settings.port) == value_of({**given, **empty}, "PORT") == "10000"
    assert step("EXPOSE") == "10000"
    assert step("USER") == str(USER)


def test_it_ends_before_the_platform_would_kill_it() -> None:
    parts = (serving._GRACEFUL_SECONDS, engine._STOPPING_SECONDS + 1, DRAIN_SECONDS)
    assert sum(parts) < RENDER_SECONDS


def test_no_secret_and_no_test_gets_in() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert next(line for line in lines if line and not line.startswith("#")) == "*"
    allowed = {line[1:] for line in lines if line.startswith("!")}
    assert not allowed & {".env", ".git", "data", "logs", "tests"}
    assert allowed <= {path.name for path in ROOT.iterdir()}
    # Also where somebody puts one beside the code; the last line that fits decides.
    assert lines.index("**/.env*") > max(lines.index(f"!{name}") for name in allowed)


def test_the_dockerfile_is_as_hadolint_wants_it() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    needs("hadolint", there=hadolint.exists(), mend="there is none for this system")
    done = subprocess.run(
        [str(hadolint), "--no-color", "Dockerfile"],
        cwd=ROOT,
        env=clean_env(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")
