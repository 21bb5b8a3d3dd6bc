"""What kinds of jobs there are. `@job` in front of a function makes one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.jobs.running import RunningJob

Work = Callable[..., Mapping[str, Any] | None]
"""Gets the running job, and the job's parameters by name; gives what is shown as its result."""


Undo = Callable[..., None]
"""Gets the same; takes back what a job that is cancelled or fails must not leave."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job: how many run at once in one process, and of one user anywhere."""

    name: str
    work: Work
    at_once: int
    per_user: int
    undo: Undo | None = None

    @property
    def queue(self) -> str:
        return f"jobs-{self.name}"


KINDS: Final[dict[str, Kind]] = {}


def job(
    name: str, *, at_once: int = 2, per_user: int = 1, undo: Undo | None = None
) -> Callable[[Work], Work]:
    """Make a function a kind of job. `name` is its task's name in the trace log.

    The function is called again after a kill, and must do the same steps in the same order: all
    that reads or writes stands in `RunningJob.step`, whose results are kept. So is `undo` called
    again, with the same parameters; the job is not over before it has ended.
    """

    def register(work: Work) -> Work:
        if name in KINDS:
            raise ValueError(f"there are two kinds of job named {name}")
        KINDS[name] = Kind(name, work, at_once, per_user, undo)
        return work

    return register


def run(kind: Kind, running: RunningJob, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Do a job's work; what is to be shown of it."""
    return kind.work(running, **params) or {}
