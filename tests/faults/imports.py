"""Imports whose process is killed again and again, and what must be there at the end."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.lib.tracelog.schema import TABLES, TASK_PROGRESS_LOGS
from app.lib.tracelog.trace import Trace, new_trace_id, use_trace
from app.models.item import Item
from app.models.job import Job
from app.models.user import User
from app.schemas.item import ItemQuery
from app.schemas.item_import import ImportChoice
from app.services.imports.folder import ImportFolder
from app.services.imports.import_service import (
    ImportService,
    UploadedTable,
    look_at,
    table_limits,
)
from app.services.item_list import ItemList
from app.services.job_service import JobService
from tests.faults.job_worker import GO_ON, SECONDS, Plan, settings_of, work
from tests.jobs.worker import Worker
from tests.lib.tracelog.rows import read_all

ROWS = 1000
_BAD = 97
"""Each so many rows one is no item."""

_WORDS = ("tea", "会議", "coffee", "資料", "bread", "東京")
_MOMENTS = 150
"""A process is killed at one of so many moments: about half as many as an import has."""

_MOMENTS_OF_COMMIT = 60


@dataclass(frozen=True, slots=True)
class Round:
    """One import: how often its process was killed, and what is wrong now."""

    kills: int
    attempts: int
    wrong: list[str]


class ImportFaults:
    """Imports of one file, each of a user of its own, on a migrated database."""

    def __init__(self, url: str, folder: Path, seed: int) -> None:
        self._url = url
        self._folder = folder
        self._random = random.Random(seed)
        self._content = _file()

    def run(self, kills: int) -> Iterator[Round]:
        """Import until there were so many kills; the last import is let alone once they are."""
        left = kills
        while left > 0:
            user_id, job_id = self.begin()
            killed = 0
            while left - killed > 0 and self._attempt(self._random.randint(1, _MOMENTS), job_id):
                killed += 1
            left -= killed
            if self._attempt(0, job_id):
                raise RuntimeError("a process that nobody killed has died")
            yield self.check(user_id, job_id, killed)

    def run_without(
        self, away: AbstractContextManager[object], meanwhile: Callable[[], None]
    ) -> Round:
        """An import in whose commit the database is away, until `meanwhile` returns."""
        user_id, job_id = self.begin()
        wait_at = self._random.randint(1, _MOMENTS_OF_COMMIT)
        is_idle = self._url.startswith("sqlite")  # another's lock must not wait for the import's
        plan = Plan(wait_at=wait_at, is_idle=is_idle, step="DB_Commit")
        worker = Worker(self._url, self._folder, work, plan)
        try:
            if worker.hear(SECONDS) != "waiting":
                raise RuntimeError("the import was over too early")
            with away:
                (self._folder / GO_ON).touch()
                meanwhile()
            if worker.hear(SECONDS) != "done":
                raise RuntimeError("a process that nobody killed has died")
        finally:
            worker.kill()
            (self._folder / GO_ON).unlink(missing_ok=True)
        return self.check(user_id, job_id, kills=0)

    def begin(self) -> tuple[int, str]:
        """The id of a new user, and of the job of their import, which is queued."""
        return asyncio.run(self._begin())

    def job(self, job_id: str) -> Job:
        return asyncio.run(self._job(job_id))

    def count(self, user_id: int) -> int:
        """How many items a user has."""

        async def count() -> int:
            async with self._session(user_id) as session:
                mine = select(func.count()).where(Item.owner_id == user_id)
                return await session.scalar(mine) or 0

        return asyncio.run(count())

    def retry(self, user_id: int, job_id: str) -> None:
        """Run a job that failed again, as its user does."""

        async def retry() -> None:
            async with self._session(user_id) as session:
                await JobService(session, user_id).retry(job_id)

        asyncio.run(retry())

    @asynccontextmanager
    async def _session(self, user_id: int) -> AsyncIterator[AsyncSession]:
        database = Database(self._url)
        try:
            async with database.session(user_id) as session:
                yield session
        finally:
            await database.close()

    def check(self, user_id: int, job_id: str, kills: int) -> Round:
        """Compare with what the file says; that is what an undisturbed import leaves."""
        return asyncio.run(self._check(user_id, job_id, kills))

    def _attempt(self, die_at: int, job_id: str) -> bool:
        """Let a process work until the job is done, or it dies; whether it died."""
        if self.job(job_id).ended_at:
            return False
        worker = Worker(self._url, self._folder, work, Plan(die_at=die_at))
        try:
            return worker.hear(SECONDS) is None
        finally:
            worker.kill()

    async def _begin(self) -> tuple[int, str]:
        key, folder = ImportFolder.new(self._folder / "files")
        folder.upload.write_bytes(self._content)
        shape, sample = look_at(folder.upload, table_limits(settings_of(self._url, self._folder)))
        table = UploadedTable(key, "items.csv", len(self._content), shape, sample)
        database = Database(self._url)
        try:
            async with database.system_session() as session:
                user = User(email=f"{key}@example.com", name="Import", role="user")
                session.add(user)
                await session.flush()
                imports = ImportService(session, user.id)
                added, _ = await imports.add(table)
                choice = ImportChoice(title=0, description=1, status=2)
                with use_trace(Trace(new_trace_id())):
                    return user.id, (await imports.begin(added.id, choice)).id
        finally:
            await database.close()

    async def _job(self, job_id: str) -> Job:
        database = Database(self._url)
        try:
            async with database.system_session() as session:
                return await session.get_one(Job, job_id)
        finally:
            await database.close()

    async def _check(self, user_id: int, job_id: str, kills: int) -> Round:
        job = await self._job(job_id)
        wrong = []
        bad = ROWS // _BAD
        result = {"rows": ROWS, "good": ROWS - bad, "bad": bad}
        if job.result != {**result, "inserted": ROWS - bad, "skipped": 0}:
            wrong.append(f"the job gave {job.status} {job.problem} {job.result}")
        database = Database(self._url)
        try:
            async with database.session(user_id) as session:
                found = await session.execute(
                    select(Item.title, Item.description, Item.status)
                    .where(Item.owner_id == user_id)
                    .order_by(Item.id)
                )
                stored, wanted = [tuple(row) for row in found], list(_good_rows())
                missing, extra = len(set(wanted) - set(stored)), len(stored) - len(set(stored))
                if stored != wanted:
                    wrong.append(f"{len(stored)} items, {missing} missing, {extra} twice")
                for title, description, _ in (wanted[0], wanted[-1]):
                    query = ItemQuery(q=f"{title} {description}", limit=200)
                    page = await ItemList(session, user_id).page(query)
                    if title not in [item.title for item in page.items]:
                        wrong.append(f"a search does not find {title}")
        finally:
            await database.close()
        wrong += self._trace(job, kills)
        return Round(kills, job.attempt, wrong)

    def _trace(self, job: Job, kills: int) -> Iterator[str]:
        """Each attempt at a step is in the trace; one that was killed has a beginning alone."""
        table = TABLES[TASK_PROGRESS_LOGS]
        columns = ("trace_id", "task_name", "step_name", "status")
        places = {name: table.column_names.index(name) for name in columns}
        rows: list[tuple[Any, ...]] = read_all(self._folder / "logs", table)[0]
        mine = [
            row[places["status"]]
            for row in rows
            if row[places["trace_id"]] == job.trace_id
            # What failed between its steps, such as undoing them on a full disk, has no beginning.
            and row[places["step_name"]] != row[places["task_name"]]
        ]
        cut_off = mine.count("START") - mine.count("SUCCESS") - mine.count("FAILED")
        if not 0 <= cut_off <= kills:
            yield f"the trace has {cut_off} attempts without an end, of {kills} kills"
        if job.attempt > kills + 1:
            yield f"{job.attempt} attempts, of {kills} kills"


def _file() -> bytes:
    lines = ["title,description,status"]
    for number in range(1, ROWS + 1):
        title, description, status = _row(number)
        lines.append(f"{'' if number % _BAD == 0 else title},{description},{status}")
    return "\n".join(lines).encode()


def _row(number: int) -> tuple[str, str, str]:
    word, other = _WORDS[number % len(_WORDS)], _WORDS[number % 5]
    return f"{word} {number}", f"{other} {number * 7}", ("todo", "doing", "done")[number % 3]


def _good_rows() -> Iterator[tuple[str, str, str]]:
    return (_row(number) for number in range(1, ROWS + 1) if number % _BAD)
