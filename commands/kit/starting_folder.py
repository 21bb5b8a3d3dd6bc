"""Where a person stood when they started a command: the door moves on to the project's folder.

Standard library only.
"""

import os
from pathlib import Path
from typing import Final

_NAME: Final = "MANAGE_STARTED_IN"


def remember() -> None:
    """To be called before the move. It holds for the same command in `.venv`'s Python too."""
    if _remembered() is None:
        os.environ[_NAME] = f"{os.getpid()}:{Path.cwd()}"


def from_there(path: str) -> Path:
    """A path that was given on the command line."""
    return (_remembered() or Path.cwd()) / path


def _remembered() -> Path | None:
    # Going on in another Python keeps the process's id, except on Windows, where it is a child.
    number, _, folder = os.environ.get(_NAME, "").partition(":")
    return Path(folder) if number in {str(os.getpid()), str(os.getppid())} else None
