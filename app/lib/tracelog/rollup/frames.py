"""Python's stack traces: which frames are the project's own, and what failures have in common."""

import contextlib
import hashlib
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_FRAME: Final = re.compile(r'\s+File "(?P<path>[^"\n]+)", line \d+(?:, in (?P<name>.+))?')
_FOREIGN: Final = re.compile(
    r"[\\/](site|dist)-packages[\\/]|[\\/]lib[\\/]python3|[\\/]python3\d+[\\/]lib[\\/]|^<frozen ",
    re.I,
)
_KIND: Final = re.compile(r"([A-Za-z_][\w.]{0,99})(?:: |$)")
_CHANGING: Final = re.compile(
    r"""[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12} | 0x[0-9a-f]+ | \b[0-9a-f]{16,}\b
    | '[^']*' | "[^"]*" | \d+(?:[.,:]\d+)*""",
    re.I | re.X,
)
_SEPARATOR: Final = re.compile(r"[\\/]")
_MOST_FRAMES: Final = 20
_PATH_PARTS: Final = 3
_MESSAGE_CHARS: Final = 300


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame's head, of which the rest of its lines is the code. `name` is the function's."""

    path: str
    name: str
    own: bool


def frame_of(line: str) -> Frame | None:
    """The frame that begins in this line of a stack trace."""
    if not (match := _FRAME.match(line)):
        return None
    path = match["path"]
    return Frame(path, match["name"] or "", own=not _FOREIGN.search(path))


@dataclass(frozen=True, slots=True)
class Failure:
    """What failures that mean the same have in common.

    `kind` is the exception's type, or empty where the message names none; `place` the innermost own
    frame, or empty.
    """

    fingerprint: str
    kind: str
    message: str
    place: str


def failure_of(
    message: str | None, stack_trace: str | None, *, task: str = "", step: str = ""
) -> Failure:
    """Group a failure: by its type and the project's own frames without their line numbers.

    Without own frames it is by the message, in which numbers, ids and quotations do not count, and
    by the step.
    """
    text = (message or "").strip()
    first_line = text.partition("\n")[0][:_MESSAGE_CHARS]
    kind = match[1] if stack_trace and (match := _KIND.match(first_line)) else ""
    frames = _own_frames(stack_trace or "")
    message_parts = [task, step, kind, _CHANGING.sub("#", first_line)]
    parts = [kind, *frames] if frames else message_parts
    digest = hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()[:16]
    return Failure(digest, kind, first_line, frames[-1] if frames else "")


def _own_frames(stack_trace: str) -> list[str]:
    """Function and file of each own frame; the folders above differ from machine to machine."""
    frames: list[str] = []
    roots = list(_roots())
    for line in stack_trace.split("\n"):
        if line.startswith("  File ") and (frame := frame_of(line)) and frame.own:
            path = "/".join(_SEPARATOR.split(_below(roots, frame.path))[-_PATH_PARTS:])
            shown = f"{path} {frame.name}"
            if not frames or frames[-1] != shown:  # recursion
                frames.append(shown)
    return frames[-_MOST_FRAMES:]


def _below(roots: Sequence[str], path: str) -> str:
    """The file's path from the folder it is imported from; all of it where that is elsewhere."""
    above = [root for root in roots if path.startswith((f"{root}/", f"{root}\\"))]
    return path[len(max(above, key=len)) + 1 :] if above else path


def _roots() -> Iterator[str]:
    """The folders that Python imports from; an empty one is the current one, as under uvicorn."""
    for folder in sys.path:
        # The current one may have been removed, and what is no text Python itself passes over.
        with contextlib.suppress(OSError, TypeError):
            yield os.path.abspath(folder)  # noqa: PTH100 # for each failure
