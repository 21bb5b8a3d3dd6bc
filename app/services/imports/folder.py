"""The files of one import: what was uploaded, and what its job makes of it on the way."""

import os
import secrets
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, Final

FILES_KEPT: Final = timedelta(days=1)
"""How long rows that were not imported can be had, and a job be run again."""


class ImportFolder:
    """One folder on this machine's disk. Instances that share no disk cannot help each other."""

    def __init__(self, files_dir: Path, key: str) -> None:
        self.path = files_dir / "imports" / key
        self.upload = self.path / "upload"
        self.table = self.path / "table.csv"
        """The first sheet of a workbook as CSV."""
        self.good = self.path / "good.jsonl"
        """Rows as they are inserted."""
        self.bad = self.path / "bad.jsonl"
        """Rows that are no items, and why."""

    @classmethod
    def new(cls, files_dir: Path) -> "tuple[str, ImportFolder]":
        """An empty folder and its key. Raises `OSError`."""
        key = secrets.token_hex(16)
        folder = cls(files_dir, key)
        folder.path.mkdir(mode=0o700, parents=True)
        return key, folder

    @contextmanager
    def write(self, path: Path) -> Iterator[IO[bytes]]:
        """A file that is there once it is whole, and on the disk. Raises `OSError`."""
        draft = path.with_suffix(".part")
        try:
            with draft.open("wb", buffering=1 << 20) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)

    def remove_sources(self) -> None:
        """Remove what only the job needs."""
        for path in (self.upload, self.table, self.good):
            path.unlink(missing_ok=True)

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


def remove_old_folders(files_dir: Path, but: Collection[str]) -> int:
    """Remove folders in which nothing has changed for a day; how many."""
    oldest, removed = time.time() - FILES_KEPT.total_seconds(), 0
    for path in (files_dir / "imports").glob("*"):
        if path.name not in but and path.stat().st_mtime < oldest:
            shutil.rmtree(path, ignore_errors=True)
            removed += 1
    return removed
