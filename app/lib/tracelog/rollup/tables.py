"""The tables that pages draw their charts from, kept beside the rows they sum up."""

from typing import Final

from app.lib.tracelog import ids
from app.lib.tracelog.rollup.histogram import BUCKETS

PERIODS: Final = (60, 3600)
"""Seconds that one row of the sums covers: minutes, and hours."""

REQUEST_SUMS: Final = "tracelog_request_sums"
STEP_SUMS: Final = "tracelog_step_sums"
OPEN_STEPS: Final = "tracelog_open_steps"
RUNS: Final = "tracelog_runs"
RUN_SUMS: Final = "tracelog_run_sums"
ERRORS: Final = "tracelog_errors"
ERROR_SUMS: Final = "tracelog_error_sums"
ERROR_HITS: Final = "tracelog_error_hits"

NAMES: Final = (
    REQUEST_SUMS,
    STEP_SUMS,
    OPEN_STEPS,
    RUNS,
    RUN_SUMS,
    ERRORS,
    ERROR_SUMS,
    ERROR_HITS,
)

BUCKET_COLUMNS: Final = tuple(f"b{bucket}" for bucket in range(BUCKETS))
CLASS_COLUMNS: Final = ("c0", "c1", "c2", "c3", "c4", "c5")
REQUEST_COUNTS: Final = ("n", *CLASS_COLUMNS, "ms", *BUCKET_COLUMNS)
"""Requests, those of each status class (`c0`: no status), the sum of their ms, and buckets."""

STEP_COUNTS: Final = ("started", "succeeded", "failed", "timed", "ms", *BUCKET_COLUMNS)
"""Rows of each kind; the ends whose start is known with the sum of their ms, and buckets."""


def _counts(columns: tuple[str, ...]) -> str:
    return ", ".join(f"{column} INTEGER NOT NULL DEFAULT 0" for column in columns)


HOUR_OF_RUN: Final = (
    f"((first_id >> {ids.NODE_BITS}) + {ids.EPOCH_US}) / 1000000"
    f" - ((first_id >> {ids.NODE_BITS}) + {ids.EPOCH_US}) / 1000000 % 3600"
)
"""The hour in which a run began, as SQL."""

# Runs by the hour in which they began, and how many of them have failed by now.
RUN_SUMS_DDL: Final = f"""CREATE TABLE IF NOT EXISTS {RUN_SUMS} (
    start INTEGER NOT NULL, task TEXT NOT NULL, n INTEGER NOT NULL, failed INTEGER NOT NULL,
    PRIMARY KEY (start, task)
)"""

FILL_RUN_SUMS: Final = (
    f"INSERT INTO {RUN_SUMS} (start, task, n, failed)"  # noqa: S608 # names from above
    f" SELECT {HOUR_OF_RUN}, task, count(*), sum(status = 'FAILED') FROM {RUNS} WHERE true"
    " GROUP BY 1, 2 ON CONFLICT (start, task) DO UPDATE SET n = excluded.n,"
    " failed = excluded.failed"
)

DDL: Final = (
    # The row with an empty method is the sum of all routes.
    f"""CREATE TABLE IF NOT EXISTS {REQUEST_SUMS} (
    seconds INTEGER NOT NULL, start INTEGER NOT NULL, method TEXT NOT NULL, route TEXT NOT NULL,
    {_counts(REQUEST_COUNTS)}, PRIMARY KEY (seconds, start, method, route)
)""",
    f"""CREATE TABLE IF NOT EXISTS {STEP_SUMS} (
    seconds INTEGER NOT NULL, start INTEGER NOT NULL, task TEXT NOT NULL, step TEXT NOT NULL,
    {_counts(STEP_COUNTS)}, PRIMARY KEY (seconds, start, task, step)
)""",
    # Steps that have begun and not ended; times are microseconds of the Unix epoch.
    f"""CREATE TABLE IF NOT EXISTS {OPEN_STEPS} (
    trace_id TEXT NOT NULL, task TEXT NOT NULL, ord INTEGER NOT NULL, step TEXT NOT NULL,
    began INTEGER NOT NULL, seen INTEGER NOT NULL, PRIMARY KEY (trace_id, task, ord, step)
)""",
    # One row for each task in each trace: its first and last row's id, and that one's status.
    f"""CREATE TABLE IF NOT EXISTS {RUNS} (
    trace_id TEXT NOT NULL, task TEXT NOT NULL, first_id INTEGER NOT NULL,
    last_id INTEGER NOT NULL, status TEXT NOT NULL, PRIMARY KEY (trace_id, task)
)""",
    f"CREATE INDEX IF NOT EXISTS idx_{RUNS}_task ON {RUNS} (task, first_id, status)",
    RUN_SUMS_DDL,
    f"""CREATE TABLE IF NOT EXISTS {ERRORS} (
    fingerprint TEXT PRIMARY KEY, kind TEXT NOT NULL, message TEXT NOT NULL, place TEXT NOT NULL,
    task TEXT NOT NULL, step TEXT NOT NULL, hits INTEGER NOT NULL, first_id INTEGER NOT NULL,
    last_id INTEGER NOT NULL, last_trace TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'open',
    state_id INTEGER NOT NULL DEFAULT 0, note TEXT NOT NULL DEFAULT ''
)""",
    f"CREATE INDEX IF NOT EXISTS idx_{ERRORS}_last ON {ERRORS} (last_id)",
    f"""CREATE TABLE IF NOT EXISTS {ERROR_SUMS} (
    start INTEGER NOT NULL, fingerprint TEXT NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (start, fingerprint)
)""",
    f"""CREATE TABLE IF NOT EXISTS {ERROR_HITS} (
    id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL, trace_id TEXT NOT NULL
)""",
    f"CREATE INDEX IF NOT EXISTS idx_{ERROR_HITS}_group ON {ERROR_HITS} (fingerprint, id)",
    f"CREATE INDEX IF NOT EXISTS idx_{ERROR_HITS}_trace ON {ERROR_HITS} (trace_id)",
)
