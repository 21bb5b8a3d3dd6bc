"""What is read out of a row of the log. Rows that others put into the store may hold anything."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from app.lib.tracelog.ids import micros_of
from app.lib.tracelog.redaction.plain import CUT_KEY
from app.lib.tracelog.store.store import Cell
from app.lib.utils import micros_of as micros_of_moment

LogRow = Mapping[str, Cell]
"""A row by column name."""

CUT_MARK: Final = f'"{CUT_KEY}"'
"""Stands in a value of which the log itself has a part only."""

_MILLISECONDS: Final = len("YYYY-MM-DD HH:MM:SS.mmm")
_SECONDS: Final = len("YYYY-MM-DD HH:MM:SS")
_SAME_MOMENT: Final = 5000


class StepRow(NamedTuple):
    """A row of a step. `cut` of its values the log has only in part; `values` are those that can
    be long, by column, and None where they were not read."""

    id: int
    task: str
    step: str
    status: str
    order: int
    created_at: str | None
    cut: int
    values: LogRow | None

    @property
    def key(self) -> tuple[str, str, int]:
        """Shared by the rows of one step."""
        return self.task, self.step, self.order


def step_row(row: LogRow) -> StepRow:
    """A row that was read whole."""
    return StepRow(
        id_of(row),
        text(row, "task_name"),
        text(row, "step_name"),
        text(row, "status"),
        integer(row, "execution_order") or 0,
        text(row, "created_at"),
        sum(CUT_MARK in text(row, column) for column in ("input_data", "output_data")),
        row,
    )


def id_of(row: LogRow) -> int:
    """0 where it is no number."""
    return integer(row, "id") or 0


def text(row: LogRow, column: str) -> str:
    value = row.get(column)
    return "" if value is None else str(value)


def integer(row: LogRow, column: str) -> int | None:
    value = row.get(column)
    return value if isinstance(value, int) else None


def logged_at(created_at: str | None, row_id: int) -> int:
    """`created_at` in microseconds of Unix time; when the row was made where it holds no time."""
    try:
        if created_at and len(created_at) == _MILLISECONDS and created_at[_SECONDS] == ".":
            return _micros(created_at[:_SECONDS]) + int(created_at[_SECONDS + 1 :]) * 1000
        return _micros(created_at or "")
    except ValueError:
        return micros_of(row_id)


def recorded_at(row: StepRow) -> int:
    """`created_at` to the microsecond, which the id knows where it was made at that moment."""
    logged, made = logged_at(row.created_at, row.id), micros_of(row.id)
    return made if 0 <= made - logged < _SAME_MOMENT else logged


@lru_cache(maxsize=4096)
def _micros(moment: str) -> int:
    """Many rows of a trace share a second. Raises `ValueError`."""
    parsed = datetime.fromisoformat(moment)
    return micros_of_moment(parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC))
