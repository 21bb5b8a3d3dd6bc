"""Bulk_Import: items from a file of up to a million rows, in steps that a kill does not undo."""

import asyncio
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final

import orjson

from app.jobs.import_commit import ImportCommit
from app.jobs.kinds import job
from app.jobs.running import JobError, RunningJob
from app.lib.table_problems import Row, TableProblem
from app.lib.table_source import TableShape, open_rows
from app.models.item_import import ItemImport
from app.schemas.item_import import ImportChoice
from app.services.imports.folder import ImportFolder
from app.services.imports.good_lines import GoodLines
from app.services.imports.import_service import JOB, table_limits
from app.services.imports.item_rows import ItemRows

_ROWS_A_LOOK: Final = 500


@job(JOB, at_once=1, per_user=1, undo=lambda running, **params: Import(running, **params).undo())
def import_items(
    running: RunningJob, import_id: int, choice: Mapping[str, Any]
) -> dict[str, int | bool]:
    """Read → Validation → DB_Commit → Summary."""
    work = Import(running, import_id, choice)
    read = running.step("Read", work.read)
    checked = running.step("Validation", work.validate, read["rows"])
    committed = running.step("DB_Commit", work.commit, checked["good"])
    return running.step("Summary", work.summarize, checked, committed)


class Import:
    """The steps. Those before the commit leave their result in a file that is there when whole."""

    def __init__(self, running: RunningJob, import_id: int, choice: Mapping[str, Any]) -> None:
        self._running = running
        self._import_id = import_id
        self._choice = ImportChoice.model_validate(choice)
        with running.transaction() as session:
            self._import = session.get_one(ItemImport, import_id)
        self._limits = table_limits(running.settings)
        self._folder = ImportFolder(running.settings.files_dir, self._import.key)
        self._commit = ImportCommit(running, import_id, skip_known=self._choice.skip_known)

    def read(self) -> dict[str, Any]:
        """See that all of the file is a table, and make CSV of it if it is none; count its rows."""
        shape = TableShape(**self._import.shape)
        with _told(), self._open(self._folder.upload, shape) as found:
            if shape.kind == "csv":
                rows = sum(1 for _ in self._followed(found))
            else:
                with self._folder.write(self._folder.table) as file:
                    rows = self._unpack(self._followed(found), file)
        rows -= self._choice.has_names
        if rows < 1:
            raise JobError("table_no_rows")
        return {"rows": rows, "bytes": self._import.size, **self._import.shape}

    def validate(self, total: int) -> dict[str, int]:
        """Write the rows that are items, as they are inserted, and those that are not, and why."""
        folder, good = self._folder, 0
        lines = GoodLines(ItemRows(self._import, self._choice))
        with (
            _told(),
            self._open_table() as rows,
            folder.write(folder.good) as goods,
            folder.write(folder.bad) as bads,
        ):
            bads.write(_line({"names": self._names()}))
            count = 0
            for number, cells in self._followed(rows, total):
                found = lines.read(cells)
                count += 1
                if isinstance(found, bytes):
                    goods.write(found)
                    good += 1
                else:
                    bads.write(_line({"row": number, "cells": cells, "problems": found}))
        counts = {"rows": count, "good": good, "bad": count - good}
        if counts["bad"] and (self._choice.all_or_nothing or not good):
            raise JobError("bad_rows", bad=counts["bad"], rows=count)
        return counts

    def commit(self, good: int) -> dict[str, int]:
        """Insert the good rows, a batch and how far it goes in each transaction."""
        if not self._folder.good.is_file():
            raise JobError("import_file_lost")
        return asyncio.run(self._commit.insert(self._folder, good))

    def summarize(
        self, checked: Mapping[str, int], committed: Mapping[str, int]
    ) -> dict[str, int | bool]:
        """What came of it. The files go, but for the rows that are no items."""
        self._folder.remove_sources()
        if not checked["bad"]:
            self._folder.remove()
        return {**checked, **committed}

    def undo(self) -> None:
        """Where it was to be all or nothing: nothing."""
        with self._running.transaction() as session:
            begun = session.get_one(ItemImport, self._import_id, populate_existing=True)
        if self._choice.all_or_nothing and (begun.position or begun.is_undoing):
            self._running.undo("DB_Rollback", self._take_back)

    def _take_back(self) -> dict[str, int]:
        return {"deleted": asyncio.run(self._commit.take_back())}

    @contextmanager
    def _open(self, path: Path, shape: TableShape) -> Iterator[Iterator[Row]]:
        if not path.is_file():
            raise JobError("import_file_lost")
        with open_rows(path, shape, self._limits, self._running.look) as rows:
            yield rows

    @contextmanager
    def _open_table(self) -> Iterator[Iterator[Row]]:
        """The rows behind the names of the columns; as CSV whatever the file is."""
        shape, path = TableShape(**self._import.shape), self._folder.upload
        if shape.kind != "csv":
            shape, path = TableShape("csv"), self._folder.table
        with self._open(path, shape) as rows:
            yield islice(rows, int(self._choice.has_names), None)

    def _followed(self, rows: Iterator[Row], total: int | None = None) -> Iterator[Row]:
        for count, row in enumerate(rows):
            if count % _ROWS_A_LOOK == 0:
                self._running.progress(count, total)
            yield row
        self._running.check()

    def _unpack(self, rows: Iterator[Row], file: IO[bytes]) -> int:
        """Write rows as CSV, each in the line of its number."""
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        writer, written, count = csv.writer(text, lineterminator="\n"), 0, 0
        for number, cells in rows:
            text.write("\n" * (number - written - 1))
            writer.writerow(cells)
            written, count = number, count + 1
            if count % _ROWS_A_LOOK == 0 and file.tell() > self._limits.unpacked_bytes:
                raise TableProblem("unpacks_to_too_much")
        text.detach()
        return count

    def _names(self) -> Sequence[str]:
        return self._import.sample[0] if self._choice.has_names else []


def _line(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


@contextmanager
def _told() -> Iterator[None]:
    """Tell the user what is wrong with the file."""
    try:
        yield
    except TableProblem as problem:
        raise JobError(f"table_{problem.code}", **problem.values) from problem
