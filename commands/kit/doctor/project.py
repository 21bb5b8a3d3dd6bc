"""Python, the packages and `.env`. The packages may be missing yet: standard library only."""

import os
import platform
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from typing import TYPE_CHECKING

from commands.kit.doctor.finding import Finding, note, ok, wrong
from commands.kit.environment import PYTHON, ROOT, VENV, is_installed

if TYPE_CHECKING:
    from app.config import Settings

_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", re.MULTILINE)


def python() -> Finding:
    return Finding("Python", "ok", f"{platform.python_version()} ({sys.executable})")


def packages() -> Finding:
    if not PYTHON.exists():
        return wrong("Packages", "doctor_no_venv", path=VENV.name)
    pinned = _PIN.findall((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    other = [f"{name} {version}" for name, version in pinned if _version(name) not in {"", version}]
    if other or not is_installed("requirements.txt"):
        return wrong("Packages", "doctor_packages_differ", which=", ".join(other))
    return ok("Packages", "doctor_packages", count=len(pinned))


def env_file(settings: "Settings") -> Iterator[Finding]:
    """Who else could read `.env`, and what in it others would read differently."""
    from commands.kit.settings import environment_has_it_all  # needs the packages

    path = ROOT / ".env"
    if not path.exists() and environment_has_it_all():
        yield ok("Settings", "doctor_env_none_needed")
    elif not path.exists():
        yield note("Settings", "doctor_no_env")
    elif _is_tracked(path.name):
        yield wrong("Settings", "doctor_env_tracked")
    elif os.name != "nt" and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        yield note("Settings", "doctor_env_open")
    else:
        yield ok("Settings", "doctor_env")
    if settings.unquoted_names:
        yield note("Settings", "doctor_quotes", names=", ".join(settings.unquoted_names))
    if names := settings.misspelt_names:
        meant = ", ".join(f"{name} → {setting}" for name, setting in names.items())
        yield note("Settings", "doctor_misspelt", names=meant)
    if settings.environment == "production" and not settings.public_origin:
        yield note("Settings", "doctor_no_origin")


def _version(package: str) -> str:
    """The installed version, or nothing: some are for other systems only."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _is_tracked(name: str) -> bool:
    """Whether Git has the file; without Git, nobody can have committed it here."""
    try:
        done = subprocess.run(
            ["git", "ls-files", "--error-unmatch", name],
            cwd=ROOT,
            capture_output=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
