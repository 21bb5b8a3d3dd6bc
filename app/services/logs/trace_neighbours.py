"""What stands around a trace: the same failure before and after, and the last good run."""

# Only names out of the rollup's tables are put into SQL text; values go through `?`.
# ruff: noqa: S608

from dataclasses import dataclass
from functools import partial
from typing import Final

from app.lib.tracelog.rollup.tables import ERROR_HITS, RUNS
from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.store import StoreSchemaMissing
from app.services.logs.store_reader import Ask, StoreReader

_LOOKED_AT: Final = 1000
"""Among so many runs the good one is looked for."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Trace ids, None where there is none. `fingerprint` is the group of the trace's failure.

    In `good` the task `task` ran and nothing failed, the last time before it ran in this trace.
    """

    fingerprint: str | None = None
    previous: str | None = None
    next: str | None = None
    task: str | None = None
    good: str | None = None


NONE: Final = Neighbours()


async def find_neighbours(reader: StoreReader, trace_id: str) -> Neighbours:
    """Raises `StoreError`."""
    try:
        return await reader.run(partial(_find, trace_id))
    except StoreSchemaMissing:
        return NONE


def _find(trace_id: str, ask: Ask) -> Neighbours:
    def one(sql: str, *args: str | int) -> dict[str, str | int] | None:
        found = ask(Statement(sql, args))
        return {key: _plain(value) for key, value in found[0].items()} if found else None

    hit = one(_HIT_SQL, trace_id)
    previous = following = None
    if hit:
        previous = one(_PREVIOUS_SQL, hit["fingerprint"], hit["id"], trace_id)
        following = one(_NEXT_SQL, hit["fingerprint"], hit["id"], trace_id)
    run = one(_RUN_SQL, trace_id)
    good = one(_GOOD_SQL, run["task"], run["first_id"]) if run else None
    return Neighbours(
        str(hit["fingerprint"]) if hit else None,
        _trace(previous),
        _trace(following),
        str(run["task"]) if run else None,
        _trace(good),
    )


def _plain(value: object) -> str | int:
    return value if isinstance(value, int) else str(value)


def _trace(row: dict[str, str | int] | None) -> str | None:
    return str(row["trace_id"]) if row else None


_HIT_SQL: Final = f"SELECT id, fingerprint FROM {ERROR_HITS} WHERE trace_id = ? ORDER BY id LIMIT 1"
_PREVIOUS_SQL: Final = (
    f"SELECT trace_id FROM {ERROR_HITS} WHERE fingerprint = ? AND id < ? AND trace_id <> ?"
    " ORDER BY id DESC LIMIT 1"
)
_NEXT_SQL: Final = (
    f"SELECT trace_id FROM {ERROR_HITS} WHERE fingerprint = ? AND id > ? AND trace_id <> ?"
    " ORDER BY id LIMIT 1"
)
# Of several tasks the one that failed is what a reader wants to compare.
_RUN_SQL: Final = (
    f"SELECT task, first_id FROM {RUNS} WHERE trace_id = ?"
    " ORDER BY status = 'FAILED' DESC, first_id LIMIT 1"
)
# Of steps beside each other one can fail before the last one ends well.
_GOOD_SQL: Final = (
    f"SELECT trace_id FROM (SELECT trace_id, first_id FROM {RUNS}"
    f" WHERE task = ? AND first_id < ? AND status = 'SUCCESS' ORDER BY first_id DESC"
    f" LIMIT {_LOOKED_AT}) AS r WHERE NOT EXISTS"
    f" (SELECT 1 FROM {ERROR_HITS} AS h WHERE h.trace_id = r.trace_id)"
    " ORDER BY first_id DESC LIMIT 1"
)
