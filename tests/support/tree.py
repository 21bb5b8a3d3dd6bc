"""A copy of the project in a folder of its own, to change."""

import shutil
import subprocess
from pathlib import Path

from commands.kit.environment import ROOT, STAMP, VENV


def copy_tree(folder: Path) -> None:
    """Copy what Git has, and what is new and would be added; what is installed is shared."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, names.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def share_installed(folder: Path) -> None:
    """Have the copy use what is installed here, and remember by itself what that is."""
    (folder / "node_modules").symlink_to(ROOT / "node_modules", target_is_directory=True)
    own = folder / VENV.name
    own.mkdir()
    for path in VENV.iterdir():
        if path != STAMP:
            (own / path.name).symlink_to(path, target_is_directory=path.is_dir())
    shutil.copy2(STAMP, own)
