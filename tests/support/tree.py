"""A copy of the project in a folder of its own, to change."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.lib.tracelog.journal.locks import try_lock
from commands.kit.environment import ROOT, STAMP, VENV
from tests.support.live_app import clean_env
from tests.support.processes import wait_until

COMPILED = {".pyc", f".{sys.implementation.cache_tag}"}


def copy_tree(folder: Path) -> None:
    """Copy what Git has, and what is new and would be added; what is installed is shared."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, names.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def share_installed(folder: Path) -> None:
    """Have the copy use what is installed here and compiled, and remember by itself what it is."""
    (folder / "node_modules").symlink_to(ROOT / "node_modules", target_is_directory=True)
    own = folder / VENV.name
    own.mkdir()
    for path in VENV.iterdir():
        if path != STAMP:
            (own / path.name).symlink_to(path, target_is_directory=path.is_dir())
    shutil.copy2(STAMP, own)
    share_compiled(folder)


def share_compiled(folder: Path) -> None:
    """Have the copy know what its files are compiled to, before any of them is changed."""
    for name in ("app", "benchmarks", "commands", "migrations", "tests"):
        for path in (ROOT / name).rglob("__pycache__/*"):
            # What others are about to write has another ending.
            copied = folder / path.relative_to(ROOT)
            if path.suffix in COMPILED and copied.parent.parent.is_dir():
                copied.parent.mkdir(exist_ok=True)
                shutil.copy2(path, copied)


def type_in(folder: Path, line: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of a document in a copy, to its end; standard error is part of `stdout`."""
    words = shlex.split(line)
    assert words[0] == "python3", line
    return subprocess.run(
        [sys.executable, *words[1:]],
        cwd=folder,
        env=clean_env(LANG="C.UTF-8", **env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )


def once_a_run(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """The folder that `make` has filled, in whichever process of this run asked for it first.

    Tests of one module may run in several processes, to each of which it would take half a minute.
    """
    shared = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    made = shared / f"{name}.made"
    descriptor = os.open(shared / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        wait_until(lambda: try_lock(descriptor), seconds=600, what=f"the {name} of another process")
        if not made.exists():
            folder = factory.mktemp(name)
            make(folder)
            made.write_text(str(folder), encoding="utf-8")
        return Path(made.read_text(encoding="utf-8"))
    finally:
        os.close(descriptor)
