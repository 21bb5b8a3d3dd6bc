"""What a batch of new rows adds to the sums, as SQL for the transaction that writes the rows.

The sums then count each row exactly once, as the store holds it exactly once. What the batch alone
cannot tell (when a step began that ends in it) is asked before, and only where it must be.
"""

# Only names out of `tables.py` are put into SQL text.
# ruff: noqa: S608

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

import orjson

from app.lib.tracelog import ids
from app.lib.tracelog.rollup.requests import sum_requests
from app.lib.tracelog.rollup.steps import Hit, StepKey, StepSummary, summarise_steps
from app.lib.tracelog.rollup.tables import (
    ERROR_HITS,
    ERROR_SUMS,
    ERRORS,
    HOUR_OF_RUN,
    OPEN_STEPS,
    REQUEST_COUNTS,
    REQUEST_SUMS,
    RUN_SUMS,
    RUNS,
    STEP_COUNTS,
    STEP_SUMS,
)
from app.lib.tracelog.schema import API_LOGS, TASK_PROGRESS_LOGS, Row
from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.store import Result, RowRejected

HOUR: Final = 3600

Ask = Callable[[Statement], Result]


def statements(rows: Mapping[str, Sequence[Row]], ask: Ask) -> list[Statement]:
    """What to run after the rows are written. Raises `StoreError`, from `ask` too."""
    made: list[Statement] = []
    if requests := rows.get(API_LOGS):
        counts = [[*key, *values] for key, values in sum_requests(requests).items()]
        made += _parts(_add_sql(REQUEST_SUMS, ("method", "route"), REQUEST_COUNTS), counts)
    if steps := rows.get(TASK_PROGRESS_LOGS):
        summary = summarise_steps(steps)
        _look_up(summary, ask)
        made += _step_statements(summary)
        made += _error_statements(summary.hits)
    return made


def _look_up(summary: StepSummary, ask: Ask) -> None:
    if summary.endings:
        keys = Statement(_BEGAN_SQL, (_json(sorted(summary.ended)),))
        began: dict[StepKey, int] = {}
        for trace_id, task, order, step, at in ask(keys).rows:
            if isinstance(order, int) and isinstance(at, int):
                began[str(trace_id), str(task), order, str(step)] = at
        summary.close(began)
    traces = summary.doubtful_traces
    failed = ask(Statement(_FAILED_SQL, (_json(sorted(traces)),))).rows if traces else []
    summary.drop_repeated({(str(trace_id), str(kind)) for trace_id, kind in failed})


def _step_statements(summary: StepSummary) -> Iterator[Statement]:
    counts = [[*key, *values] for key, values in summary.sums.items()]
    yield from _parts(_add_sql(STEP_SUMS, ("task", "step"), STEP_COUNTS), counts)
    # A step that ends and begins again in one batch is open afterwards.
    yield from _parts(_CLOSE_SQL, sorted(summary.ended))
    touched = [[*key, at, at, _id_at(at)] for key, at in summary.touched.items()]
    yield from _parts(_TOUCH_SQL, touched)
    opened = [[*key, *times, _id_at(times[0])] for key, times in summary.opened.items()]
    yield from _parts(_OPEN_SQL, opened)
    runs = [
        [trace_id, task, run.first_id, run.last_id, run.status]
        for (trace_id, task), run in summary.runs.items()
    ]
    # As they stood before is taken from the sums of runs, and as they stand afterwards added.
    yield from _parts(_run_sums_sql("-"), runs)
    yield from _parts(_RUNS_SQL, runs)
    yield from _parts(_run_sums_sql("+"), runs)


def _error_statements(hits: Sequence[Hit]) -> Iterator[Statement]:
    groups: dict[str, list[Hit]] = {}
    hours: dict[tuple[int, str], int] = {}
    for hit in hits:
        fingerprint = hit.failure.fingerprint
        groups.setdefault(fingerprint, []).append(hit)
        second = int(ids.time_of(hit.row_id))
        hour = (second - second % HOUR, fingerprint)
        hours[hour] = hours.get(hour, 0) + 1
    rows = [
        [
            fingerprint,
            found[-1].failure.kind,
            found[-1].failure.message,
            found[-1].failure.place,
            found[-1].task,
            found[-1].step,
            len(found),
            found[0].row_id,
            found[-1].row_id,
            found[-1].trace_id,
        ]
        for fingerprint, found in groups.items()
    ]
    yield from _parts(_ERRORS_SQL, rows)
    yield from _parts(_ERROR_SUMS_SQL, [[*key, count] for key, count in hours.items()])
    yield from _parts(_HITS_SQL, [[h.row_id, h.failure.fingerprint, h.trace_id] for h in hits])


def _id_at(microseconds: int) -> int:
    return (microseconds - ids.EPOCH_US) << ids.NODE_BITS


def _parts(sql: str, values: Sequence[object]) -> list[Statement]:
    return [Statement(sql, (_json(values),))] if values else []


def _json(values: object) -> str:
    try:
        return orjson.dumps(values).decode()
    except TypeError as error:
        raise RowRejected(f"A value cannot be stored: {error}.") from None


def _select(columns: int) -> str:
    values = ",".join(f"json_extract(value,'$[{i}]')" for i in range(columns))
    # Without its WHERE the parser would take ON for a join's.
    return f"SELECT {values} FROM json_each(?) WHERE true"


def _add_sql(table: str, keys: Sequence[str], counts: Sequence[str]) -> str:
    key = ("seconds", "start", *keys)
    columns = (*key, *counts)
    added = ",".join(f"{name}={name}+excluded.{name}" for name in counts)
    return (
        f"INSERT INTO {table} ({','.join(columns)}) {_select(len(columns))}"
        f" ON CONFLICT ({','.join(key)}) DO UPDATE SET {added}"
    )


def _matches(alias: str, columns: Iterable[str]) -> str:
    return " AND ".join(
        f"{alias}.{name} = json_extract(j.value,'$[{i}]')" for i, name in enumerate(columns)
    )


def _run_sums_sql(sign: str) -> str:
    return (
        f"INSERT INTO {RUN_SUMS} (start, task, n, failed) SELECT {HOUR_OF_RUN}, r.task,"
        f" {sign}count(*), {sign}sum(r.status = 'FAILED') FROM json_each(?) AS j JOIN {RUNS} AS r"
        f" ON {_matches('r', ('trace_id', 'task'))} WHERE true GROUP BY 1, 2"
        " ON CONFLICT (start, task) DO UPDATE SET n = n + excluded.n,"
        " failed = failed + excluded.failed"
    )


_STEP_KEY: Final = ("trace_id", "task", "ord", "step")
_BEGAN_SQL: Final = (
    "SELECT o.trace_id, o.task, o.ord, o.step, o.began"
    f" FROM json_each(?) AS j JOIN {OPEN_STEPS} AS o ON {_matches('o', _STEP_KEY)}"
)
_FAILED_SQL: Final = (
    "SELECT h.trace_id, e.kind FROM json_each(?) AS j"
    f" JOIN {ERROR_HITS} AS h ON h.trace_id = j.value"
    f" JOIN {ERRORS} AS e ON e.fingerprint = h.fingerprint"
)
_CLOSE_SQL: Final = (
    f"DELETE FROM {OPEN_STEPS} WHERE rowid IN"
    f" (SELECT o.rowid FROM json_each(?) AS j JOIN {OPEN_STEPS} AS o ON {_matches('o', _STEP_KEY)})"
)
# What is delivered after its step's end, from quarantine or an older file, opens nothing.
_TOUCH_SQL: Final = (
    f"INSERT INTO {OPEN_STEPS} ({','.join(_STEP_KEY)}, began, seen)"
    f" {_select(6)} AND NOT EXISTS (SELECT 1 FROM {TASK_PROGRESS_LOGS} AS t"
    " WHERE t.trace_id = json_extract(value,'$[0]') AND t.id > json_extract(value,'$[6]')"
    " AND t.status IN ('SUCCESS','FAILED') AND t.execution_order = json_extract(value,'$[2]')"
    " AND t.task_name = json_extract(value,'$[1]') AND t.step_name = json_extract(value,'$[3]'))"
    f" ON CONFLICT ({','.join(_STEP_KEY)}) DO UPDATE SET seen = max(seen, excluded.seen)"
)
_OPEN_SQL: Final = f"{_TOUCH_SQL}, began = max(began, excluded.began)"
_RUNS_SQL: Final = (
    f"INSERT INTO {RUNS} (trace_id, task, first_id, last_id, status) {_select(5)}"
    " ON CONFLICT (trace_id, task) DO UPDATE SET first_id = min(first_id, excluded.first_id),"
    " status = CASE WHEN excluded.last_id > last_id THEN excluded.status ELSE status END,"
    " last_id = max(last_id, excluded.last_id)"
)
_ERRORS_SQL: Final = (
    f"INSERT INTO {ERRORS} (fingerprint, kind, message, place, task, step, hits, first_id, last_id,"
    f" last_trace) {_select(10)} ON CONFLICT (fingerprint) DO UPDATE SET"
    " hits = hits + excluded.hits, first_id = min(first_id, excluded.first_id),"
    " message = CASE WHEN excluded.last_id > last_id THEN excluded.message ELSE message END,"
    " last_trace = CASE WHEN excluded.last_id > last_id THEN excluded.last_trace"
    " ELSE last_trace END,"
    # What was resolved has come back; what happened before that and arrives late is no return.
    " state = CASE WHEN state = 'resolved' AND excluded.last_id > state_id THEN 'open'"
    " ELSE state END,"
    " last_id = max(last_id, excluded.last_id)"
)
_ERROR_SUMS_SQL: Final = (
    f"INSERT INTO {ERROR_SUMS} (start, fingerprint, n) {_select(3)}"
    " ON CONFLICT (start, fingerprint) DO UPDATE SET n = n + excluded.n"
)
_HITS_SQL: Final = (
    f"INSERT INTO {ERROR_HITS} (id, fingerprint, trace_id) {_select(3)} ON CONFLICT (id) DO NOTHING"
)
