"""Room on the disk, and the port."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from app.config import Settings
from commands.kit import checks
from commands.kit.doctor.finding import Finding, attempt, note, ok, wrong
from commands.kit.listener import listen

_LEAST_BYTES = 200 * 2**20
_GB = 2**30


def folders(settings: Settings) -> Iterator[Finding]:
    yield attempt("Folders", "wrong", lambda: checks.check_folders(checks.folders(settings)))


def disk(settings: Settings) -> Iterator[Finding]:
    """Whether the trace log may grow to its limits on the disk that it is on."""
    folder = _existing(settings.log_dir)
    free = shutil.disk_usage(folder).free
    # What it has by now is no longer free.
    limit = settings.log_max_bytes
    if settings.trace_store_url.startswith("file:"):
        limit += settings.log_store_max_bytes
    grows = max(0, limit - sum(path.stat().st_size for path in settings.log_dir.glob("*")))
    values = {"free": f"{free / _GB:.1f}", "grows": f"{grows / _GB:.1f}"}
    if free < _LEAST_BYTES:
        yield wrong("Disk", "doctor_disk_full", **values)
    elif free < grows:
        yield note("Disk", "doctor_disk_short", **values)
    else:
        yield ok("Disk", "doctor_disk", **values)
    yield from _other_disks(settings, folder)


def _other_disks(settings: Settings, log: Path) -> Iterator[Finding]:
    """Data may lie elsewhere, and a disk that is full says nothing until somebody writes."""
    seen = {_disk(log)}
    for folder in checks.folders(settings):
        there = _existing(folder)
        free = shutil.disk_usage(there).free
        if _disk(there) not in seen and free < _LEAST_BYTES:
            yield wrong("Disk", "doctor_disk_full_at", folder=folder, free=f"{free / _GB:.1f}")
        seen.add(_disk(there))


def port(settings: Settings) -> Iterator[Finding]:
    def try_it() -> None:
        listen(settings.host, settings.port).close()

    yield attempt("Port", "note", try_it)


def _disk(path: Path) -> int:
    return path.stat().st_dev


def _existing(folder: Path) -> Path:
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
