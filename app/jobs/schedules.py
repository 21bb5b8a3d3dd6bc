"""What the app does by the clock: `@scheduled` in front of a function makes such work."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Engine

from app.config import Settings

ScheduledWork = Callable[[Engine, Settings], Mapping[str, Any]]
"""Gets the app's database and its settings; gives what is shown of it in the trace log."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Work of no user. `cron` says when: minute, hour, day, month and weekday, in UTC."""

    name: str
    cron: str
    work: ScheduledWork


SCHEDULES: Final[dict[str, Schedule]] = {}


def scheduled(name: str, cron: str) -> Callable[[ScheduledWork], ScheduledWork]:
    """Have a function called by the clock, by one of all instances. Its task is named `name`.

    It may be called again after a kill, so that it must not matter how often it is.
    """

    def register(work: ScheduledWork) -> ScheduledWork:
        if name in SCHEDULES:
            raise ValueError(f"there are two schedules named {name}")
        SCHEDULES[name] = Schedule(name, cron, work)
        return work

    return register
