"""Parts that a machine may lack: tests that need one are skipped and named, or fail in CI."""

import os
import platform
from pathlib import Path
from shutil import which

import pytest

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "Needs "

_CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_CHROMIUM_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
)
_ARCHITECTURES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


def needs(part: str, *, there: bool, mend: str) -> None:
    """Skip this test where a real part is missing; with CI=true fail instead.

    `mend` says how to get the part. What was skipped is listed at the end of the run.
    """
    if there:
        return
    message = f"{PREFIX}{part}: {mend}"
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def node_program(package: str, program: str) -> Path | None:
    """A native program out of `node_modules`; `{platform}` in `package` is filled in."""
    system = platform.system().lower().replace("windows", "win32")
    architecture = _ARCHITECTURES.get(platform.machine().lower(), "")
    path = ROOT / "node_modules" / package.format(platform=f"{system}-{architecture}") / program
    return path if path.is_file() else None


def chromium_path() -> str | None:
    """Where Chromium or Chrome is on this machine."""
    for name in _CHROMIUM_NAMES:
        if found := which(name):
            return found
    installed = (Path.home() / ".cache" / "ms-playwright").glob("chromium-*/chrome-linux*/chrome")
    places = [*map(Path, _CHROMIUM_PLACES), *installed]
    return next((str(place) for place in places if place.is_file()), None)
