"""What the tests use and the app does not. Standard library only."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

from commands.kit import node, parts
from commands.kit.doctor.finding import Finding, note, ok
from commands.kit.words import Failure

_SECONDS = 8


def node_program() -> Iterator[Finding]:
    try:
        version = _version(Path(node.node()))
    except Failure:
        yield note("Node", "doctor_test_installs")
        return
    fresh = node.modules_are_fresh()
    yield ok("Node", "doctor_runs", version=version) if fresh else note("Node", "doctor_no_modules")


def servers() -> Iterator[Finding]:
    for name, there in (
        ("sqld", parts.sqld_path() is not None),
        ("tursodb", parts.tursodb_path() is not None),
        ("PostgreSQL", parts.has_postgres()),
    ):
        yield ok(name) if there else note(name, "doctor_test_installs")


def browser() -> Iterator[Finding]:
    path = parts.chromium_path()
    if path is None:
        yield note("Chromium", "doctor_no_chromium")
    elif version := _version(path):
        yield ok("Chromium", "doctor_runs", version=version)
    else:
        yield note("Chromium", "doctor_chromium_fails", path=path)


def _version(program: Path) -> str:
    """What a program says of itself; nothing where it does not run."""
    try:
        done = subprocess.run(
            [str(program), "--version"], capture_output=True, timeout=_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="replace").strip()
