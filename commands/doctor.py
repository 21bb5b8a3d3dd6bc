"""Look at this machine and say, one line each, what is right, what is wrong and how to mend it."""

import argparse
import json
import platform
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Literal

from commands.kit import parts
from commands.kit.environment import PYTHON, ROOT, VENV, is_installed
from commands.kit.words import Failure, text

_MARKS = {"ok": " ok ", "note": "note", "wrong": "FAIL"}
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", re.MULTILINE)


@dataclass(frozen=True)
class Finding:
    """One line of the answer. A `note` hinders only what it names, such as some tests."""

    name: str
    state: Literal["ok", "note", "wrong"]
    text: str


def main(arguments: list[str]) -> int:
    """Print what was found; 1 if something is wrong."""
    parser = argparse.ArgumentParser(prog="manage.py doctor", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON array")
    findings = list(_examine())
    if parser.parse_args(arguments).json:
        print(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=1))
    else:
        for finding in findings:
            print(f"{_MARKS[finding.state]}  {finding.name:<13} {finding.text}")
    return int(any(finding.state == "wrong" for finding in findings))


def _examine() -> Iterator[Finding]:
    yield Finding("Python", "ok", f"{platform.python_version()} ({sys.executable})")
    packages = _packages()
    yield packages
    if packages.state == "wrong":
        yield Finding("Settings", "note", text("doctor_packages_first"))
    else:
        yield from _examine_settings()
    yield from _examine_tests()


def _packages() -> Finding:
    if not PYTHON.exists():
        return Finding("Packages", "wrong", text("doctor_no_venv", path=VENV.name))
    pinned = _PIN.findall((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    other = [f"{name} {version}" for name, version in pinned if _version(name) not in {"", version}]
    if other or not is_installed("requirements.txt"):
        return Finding("Packages", "wrong", text("doctor_packages_differ", which=", ".join(other)))
    return Finding("Packages", "ok", text("doctor_packages", count=len(pinned)))


def _version(package: str) -> str:
    """The installed version, or nothing: some are for other systems only."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _examine_settings() -> Iterator[Finding]:
    # Only now: these need the packages.
    from commands.kit import checks
    from commands.kit.settings import ENV_FILE, load_settings

    try:
        settings = load_settings()
    except Failure as failure:
        yield Finding("Settings", "wrong", str(failure))
        return
    there = ENV_FILE.exists()
    yield Finding(
        "Settings", "ok" if there else "note", text("doctor_env" if there else "doctor_no_env")
    )
    if settings.unquoted_names:
        names = ", ".join(settings.unquoted_names)
        yield Finding("Settings", "note", text("doctor_quotes", names=names))

    def port_is_free() -> None:
        checks.listen(settings.host, settings.port).close()

    yield _try("Folders", "wrong", lambda: checks.check_folders(settings))
    yield _try("Database", "wrong", lambda: checks.check_database(settings))
    yield _try("Log store", "note", lambda: checks.check_trace_store(settings))
    yield _try("Port", "note", port_is_free)


def _try(name: str, otherwise: Literal["note", "wrong"], check: Callable[[], None]) -> Finding:
    try:
        check()
    except Failure as failure:
        return Finding(name, otherwise, str(failure))
    return Finding(name, "ok", text("doctor_fine"))


def _examine_tests() -> Iterator[Finding]:
    installs = text("doctor_test_installs")
    for name, there, mend in (
        ("sqld", parts.sqld_path() is not None, installs),
        ("tursodb", parts.tursodb_path() is not None, installs),
        ("PostgreSQL", parts.has_postgres(), installs),
        ("Chromium", parts.chromium_path() is not None, text("doctor_no_chromium")),
    ):
        yield Finding(name, "ok" if there else "note", text("doctor_fine") if there else mend)
