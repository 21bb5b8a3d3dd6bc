"""Two traces side by side: which steps took longer, and which got or gave something else."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from app.schemas.log import Attempt, Payload, TraceView

_MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Side:
    """A step in one of the traces: its last attempt."""

    status: str
    duration_ms: float | None
    input: Payload | None
    output: Payload | None


@dataclass(frozen=True, slots=True)
class StepPair:
    """A step of a task as both traces have it; None where one of them has not."""

    task: str
    step: str
    here: Side | None
    there: Side | None

    @property
    def slower_ms(self) -> float | None:
        """How much longer it took here."""
        if not self.here or not self.there:
            return None
        if self.here.duration_ms is None or self.there.duration_ms is None:
            return None
        return self.here.duration_ms - self.there.duration_ms

    @property
    def differs_in_input(self) -> bool:
        return bool(self.here and self.there and self.here.input != self.there.input)

    @property
    def differs_in_output(self) -> bool:
        return bool(self.here and self.there and self.here.output != self.there.output)

    @property
    def difference(self) -> tuple[bool, bool, float]:
        """What is greater differs more: in what became of it, in its values, in its time."""
        ended_alike = bool(self.here and self.there and self.here.status == self.there.status)
        values = self.differs_in_input or self.differs_in_output
        return not ended_alike, values, abs(self.slower_ms or 0.0)


def most_different(pairs: Sequence[StepPair], most: int) -> list[StepPair]:
    """So many of them at most, in their order."""
    ranked = sorted(range(len(pairs)), key=lambda at: pairs[at].difference, reverse=True)
    return [pairs[at] for at in sorted(ranked[:most])]


def compare(here: TraceView, there: TraceView) -> list[StepPair]:
    """The steps of both, in the order of the first; of tasks that only one of them has, too."""
    ours, theirs = dict(_steps(here)), dict(_steps(there))
    return [StepPair(*key, ours.get(key), theirs.get(key)) for key in {**ours, **theirs}]


def _steps(trace: TraceView) -> Iterator[tuple[tuple[str, str], Side]]:
    for task in trace.tasks:
        for step in task.steps:
            last = step.attempts[-1]
            side = Side(last.status, _duration(last), last.input, last.output)
            yield (task.name, step.name), side


def _duration(attempt: Attempt) -> float | None:
    if attempt.ended_at is None or not attempt.timed:
        return None
    return (attempt.ended_at - attempt.started_at) / _MILLISECOND
