"""Runs the encoder: a process for each picture, which a hostile file may bring down alone."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.services.pictures.encoding import SECONDS
from app.services.pictures.errors import PictureRefused

_PROGRAM: Final = Path(__file__).with_name("encoding.py")
_LOOK_SECONDS: Final = 0.5
# What a program needs to start; the app's settings and secrets stay here.
_INHERITED: Final = ("SYSTEMROOT", "LD_LIBRARY_PATH", "TMPDIR")


@dataclass(frozen=True, slots=True)
class Encoded:
    """What is shown of a picture: files by name, and the size of the large one."""

    width: int
    height: int
    files: dict[str, bytes]


def encode_apart(data: bytes, max_pixels: int, look: Callable[[], None]) -> Encoded:
    """Have a picture encoded. `look` is called meanwhile, and ends it by raising.

    Raises `PictureRefused`.
    """
    command = [sys.executable, "-I", str(_PROGRAM), str(max_pixels)]
    env = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(  # noqa: S603 # our own program
        command, stdin=pipe, stdout=pipe, stderr=nothing, env=env
    ) as child:
        try:
            output = _output(child, data, look)
        finally:
            child.kill()
    if child.returncode != 0:
        raise PictureRefused("too_hard")  # it ran out of what it may use, or fell over
    line, _, content = output.partition(b"\n")
    answer = json.loads(line)
    if "problem" in answer:
        raise PictureRefused(answer["problem"], limit=max_pixels)
    files, start = {}, 0
    for name, size in answer["files"]:
        files[name] = content[start : start + size]
        start += size
    return Encoded(answer["width"], answer["height"], files)


def _output(child: "subprocess.Popen[bytes]", data: bytes, look: Callable[[], None]) -> bytes:
    end = time.monotonic() + SECONDS
    sent: bytes | None = data
    while time.monotonic() < end:
        try:
            return child.communicate(sent, timeout=_LOOK_SECONDS)[0]
        except subprocess.TimeoutExpired:
            sent = None
            look()
    return b""
