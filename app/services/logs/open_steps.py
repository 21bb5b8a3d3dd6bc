"""Steps that have begun and not ended: which of them run, and which are stuck."""

# Only names out of the rollup's tables are put into SQL text; values go through `?`.
# ruff: noqa: S608

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from app.lib.tracelog.rollup.histogram import percentile
from app.lib.tracelog.rollup.tables import OPEN_STEPS, STEP_SUMS
from app.lib.tracelog.store.sql import Statement
from app.services.logs.log_text import visible
from app.services.logs.store_reader import Ask
from app.services.logs.sums import BUCKET_SUMS, DAY, HOUR, buckets, integer

STUCK_AFTER: Final = 3.0
"""A step is stuck when it has run for so many times its p99 and has said nothing meanwhile."""

LEAST_STUCK: Final = timedelta(minutes=1)
UNKNOWN_STUCK: Final = timedelta(minutes=10)
"""The same for a step that has never ended yet."""

_MOST: Final = 1000
_LOOKED_BACK: Final = 14 * DAY


@dataclass(frozen=True, slots=True)
class OpenStep:
    """A step without an end. `usual` is its p99; None where no run of it has ended yet."""

    trace_id: str
    task: str
    step: str
    began_at: datetime
    seen_at: datetime
    usual: timedelta | None
    is_stuck: bool


@dataclass(frozen=True, slots=True)
class OpenSteps:
    """Oldest first, at most a thousand."""

    steps: list[OpenStep]

    @property
    def running(self) -> list[OpenStep]:
        return [step for step in self.steps if not step.is_stuck]

    @property
    def stuck(self) -> list[OpenStep]:
        return [step for step in self.steps if step.is_stuck]


def open_steps(ask: Ask, now: datetime) -> OpenSteps:
    """All steps that are open. Raises `StoreError`."""
    rows = ask(Statement(f"SELECT * FROM {OPEN_STEPS} ORDER BY began LIMIT ?", (_MOST,)))
    usual = _usual(ask, now) if rows else {}
    steps = []
    for row in rows:
        began, seen = (
            datetime.fromtimestamp(integer(row, name) / 1_000_000, UTC)
            for name in ("began", "seen")
        )
        p99 = usual.get((str(row["task"]), str(row["step"])))
        longest = UNKNOWN_STUCK if p99 is None else max(p99 * STUCK_AFTER, LEAST_STUCK)
        steps.append(
            OpenStep(
                str(row["trace_id"]),
                visible(str(row["task"])),
                visible(str(row["step"])),
                began,
                seen,
                p99,
                is_stuck=now - began > longest and now - seen > LEAST_STUCK,
            )
        )
    return OpenSteps(steps)


def _usual(ask: Ask, now: datetime) -> dict[tuple[str, str], timedelta]:
    """The p99 of each step that is open."""
    since = (int(now.timestamp()) - _LOOKED_BACK) // HOUR * HOUR
    sql = (
        f"SELECT task, step, {BUCKET_SUMS} FROM {STEP_SUMS} WHERE seconds = {HOUR} AND start >= ?"
        f" AND (task, step) IN (SELECT task, step FROM {OPEN_STEPS}) GROUP BY task, step"
    )
    found = {}
    for row in ask(Statement(sql, (since,))):
        if (p99 := percentile(buckets(row), 0.99)) is not None:
            found[str(row["task"]), str(row["step"])] = timedelta(milliseconds=p99)
    return found
