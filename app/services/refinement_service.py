"""Suggestions of a language model: ask for one, look at it, take it or throw it away.

The job `AI_Refinement` has them written. Until a user takes one, nothing of the item changes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from app.lib.logger import TraceLogger
from app.lib.tracelog.trace import Trace, use_trace
from app.lib.utils import utc_now
from app.models.item import Item
from app.models.job import ENDED, Job
from app.models.refinement import AiUsage, Refinement
from app.schemas.item import ItemIn
from app.services.errors import NotFound, ServiceError
from app.services.item_service import ItemService
from app.services.job_service import JobService

JOB: Final = "AI_Refinement"
STEPS: Final = ("Fetch_Data", "AI_Generation", "DB_Commit")


class BudgetSpent(ServiceError):
    """The user has had all suggestions of this day."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What each user may have a day: suggestions, and tokens that they cost all together."""

    daily: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A description as far as it is written, and the job that has it written."""

    job: Job
    version: int
    text: str

    @property
    def is_going(self) -> bool:
        return self.job.status not in ENDED


class RefinementService:
    """The suggestions for one user's items. Never commits."""

    def __init__(
        self,
        session: AsyncSession,
        logger: TraceLogger,
        user_id: int,
        budget: Budget,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._session = session
        self._logger = logger
        self._user_id = user_id
        self._budget = budget
        self._clock = clock
        self._jobs = JobService(session, user_id)

    async def find(self, item_id: int) -> Suggestion | None:
        """The newest suggestion for an item that nobody has decided about."""
        found = await self._session.execute(
            select(Job, Refinement.version, Refinement.text)
            .join(Refinement, Refinement.job_id == Job.id)
            .where(Refinement.item_id == item_id, Job.user_id == self._user_id)
            .order_by(Job.created_at.desc(), Job.id)
            .limit(1),
            execution_options={"populate_existing": True},
        )
        row = found.one_or_none()
        return Suggestion(*row) if row else None

    async def left(self) -> int:
        """How many suggestions the user may still have today."""
        found = await self._session.execute(
            select(AiUsage.calls, AiUsage.tokens).where(
                AiUsage.user_id == self._user_id, AiUsage.day == self._clock().date()
            )
        )
        used = found.one_or_none()
        if used is None:
            return self._budget.daily
        return max(0, self._budget.daily - used.calls) if used.tokens < self._budget.tokens else 0

    async def start(self, item: Item) -> Job:
        """Have one written, or the one that is being written. Raises `BudgetSpent`."""
        if (going := await self.find(item.id)) and going.is_going:
            return going.job
        if not await self.left():
            raise BudgetSpent
        await self._forget(item.id)
        job = await self._jobs.queue(JOB, item.title, {"item_id": item.id})
        values = {"job_id": job.id, "item_id": item.id, "version": item.version, "text": ""}
        await self._session.execute(insert(Refinement).values(**values))
        return job

    async def accept(self, items: ItemService, item_id: int) -> Item:
        """Make the suggestion the item's description.

        It is the last step of the job, under the job's trace. Raises `NotFound`, and `Conflict` if
        the item has changed since it was read.
        """
        suggestion, item = await self.find(item_id), await items.get(item_id)
        if suggestion is None or suggestion.job.status != "done":
            raise NotFound
        data = ItemIn.model_validate(item, from_attributes=True)
        data = ItemIn(**data.model_dump() | {"description": suggestion.text})
        received = {"item_id": item_id, "version": suggestion.version}
        with use_trace(Trace(suggestion.job.trace_id, user_id=self._user_id)):
            async with self._logger.task(JOB) as task:
                *_, commit = [task.step(name, received) for name in STEPS]
                async with commit:
                    saved = await items.update(item_id, data, suggestion.version)
                    commit.output = {"version": saved.version}
        await self._forget(item_id)
        return saved

    async def discard(self, item_id: int) -> None:
        """Forget the suggestion; one that is being written is ended."""
        suggestion = await self.find(item_id)
        if suggestion is None:
            raise NotFound
        if suggestion.is_going:
            await self._jobs.cancel(suggestion.job.id)
        await self._forget(item_id)

    async def _forget(self, item_id: int) -> None:
        mine = select(Job.id).where(Job.user_id == self._user_id)
        await self._session.execute(
            delete(Refinement).where(Refinement.item_id == item_id, Refinement.job_id.in_(mine)),
            execution_options={"synchronize_session": False},
        )


def spending(dialect: str, user_id: int, day: date, tokens: int, budget: Budget) -> Any:
    """A statement that counts one more suggestion, whose prompt costs `tokens`.

    It gives a row if there was one left.
    """
    make = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return (
        make(AiUsage)
        .values(user_id=user_id, day=day, calls=1, tokens=tokens)
        .on_conflict_do_update(
            index_elements=[AiUsage.user_id, AiUsage.day],
            set_={"calls": AiUsage.calls + 1, "tokens": AiUsage.tokens + tokens},
            where=(AiUsage.calls < budget.daily) & (AiUsage.tokens < budget.tokens),
        )
        .returning(AiUsage.calls)
    )
