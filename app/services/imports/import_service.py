"""A user's imports of items: files that were uploaded, and the jobs that import them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.config import Settings
from app.lib.table_problems import TableLimits, TableProblem
from app.lib.table_source import TableShape, inspect, open_rows
from app.lib.utils import utc_now
from app.models.item_import import FILE_NAME_LENGTH, ItemImport
from app.models.job import Job
from app.schemas.item_import import ImportChoice
from app.services.errors import NotFound
from app.services.job_service import JobService

JOB: Final = "Bulk_Import"

_MOST_WAITING: Final = 3
"""So many files of one user wait for their mapping; the disk is everybody's."""

_SAMPLE_ROWS: Final = 6
_SAMPLE_CHARACTERS: Final = 200
_SECONDS: Final = 30.0
"""How long the first rows are looked for. A workbook may have very much before them."""

_UNPACKED: Final = 8
"""A workbook may become so many times as large as a file may be."""


@dataclass(frozen=True, slots=True)
class UploadedTable:
    """What is known of a file once it is here. `key` is its folder's."""

    key: str
    name: str
    size: int
    shape: TableShape
    sample: list[list[str]]


def table_limits(settings: Settings) -> TableLimits:
    """How much of a file is taken."""
    unpacked = _UNPACKED * settings.import_max_bytes
    return TableLimits(settings.import_max_rows, settings.import_max_columns, unpacked)


def look_at(
    path: Path, limits: TableLimits, clock: Callable[[], float] = time.monotonic
) -> tuple[TableShape, list[list[str]]]:
    """How a file is read, and its first rows, with long cells cut short. Raises `TableProblem`."""
    shape, end = inspect(path), clock() + _SECONDS

    def look() -> None:
        if clock() > end:
            raise TableProblem("too_slow")

    with open_rows(path, shape, limits, look) as found:
        rows = [cells for _, cells in islice(found, _SAMPLE_ROWS)]
    if not rows:
        raise TableProblem("empty")
    return shape, [[cell[:_SAMPLE_CHARACTERS] for cell in cells] for cells in rows]


class ImportService:
    """The imports of one user: what is another's does not exist here. Never commits."""

    def __init__(self, session: AsyncSession, user_id: int) -> None:
        self._session = session
        self._user_id = user_id

    async def add(self, table: UploadedTable) -> tuple[ItemImport, Sequence[str]]:
        """A file that waits for its mapping; the keys of those that have waited too long for it."""
        added = ItemImport(
            owner_id=self._user_id,
            key=table.key,
            name=table.name[:FILE_NAME_LENGTH],
            size=table.size,
            shape=asdict(table.shape),
            sample=table.sample,
            created_at=utc_now(),
            position=0,
            inserted=0,
            skipped=0,
            is_undoing=False,
        )
        self._session.add(added)
        await self._session.flush()
        waiting = (ItemImport.owner_id == self._user_id, ItemImport.job_id.is_(None))
        newest = select(ItemImport.id).where(*waiting).order_by(ItemImport.id.desc())
        dropped = await self._session.scalars(
            delete(ItemImport)
            .where(*waiting, ItemImport.id.not_in(newest.limit(_MOST_WAITING).scalar_subquery()))
            .returning(ItemImport.key),
            execution_options={"synchronize_session": False},
        )
        return added, dropped.all()

    async def get(self, import_id: int) -> ItemImport:
        """Raises `NotFound`."""
        return await self._one(ItemImport.id == import_id)

    async def of_job(self, job_id: str) -> ItemImport:
        """Raises `NotFound`."""
        return await self._one(ItemImport.job_id == job_id)

    async def _one(self, which: ColumnElement[bool]) -> ItemImport:
        mine = select(ItemImport).where(which, ItemImport.owner_id == self._user_id)
        found = await self._session.scalar(mine)
        if found is None:
            raise NotFound
        return found

    async def begin(self, import_id: int, choice: ImportChoice) -> Job:
        """Queue the job of a file. Raises `NotFound`, also for one that has begun."""
        name = (await self.get(import_id)).name
        params = {"import_id": import_id, "choice": choice.model_dump()}
        job = await JobService(self._session, self._user_id).queue(JOB, name, params)
        begun = await self._session.scalars(
            update(ItemImport)
            .where(ItemImport.id == import_id, ItemImport.job_id.is_(None))
            .values(job_id=job.id, begun_at=utc_now())
            .returning(ItemImport.id)
        )
        if begun.one_or_none() is None:
            raise NotFound
        return job
