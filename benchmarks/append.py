"""Rows a second that processes append together to one file.

Ready rows of 300 bytes are appended with `Journal.append`, and beside it with nothing but
`os.write` to one file that is opened for appending, which is as fast as this system can be.
`logger.log` is the whole way, from a small dictionary: secrets taken out, encoded, appended,
counted. Each does it with one process and with several, every number the median of all rounds.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from app.lib.logger import CSVOnlyLogger
from app.lib.tracelog import codec
from app.lib.tracelog.ids import IdGenerator
from app.lib.tracelog.journal.journal import Journal
from app.lib.tracelog.rows import make_row
from app.lib.tracelog.schema import TABLES, TASK_PROGRESS_LOGS
from benchmarks.crew import ready, together
from commands.kit.arguments import Arguments

ROW_BYTES: Final = 300
_TABLE: Final = TABLES[TASK_PROGRESS_LOGS]
_STEP: Final = {"task_name": "AI_Refinement", "step_name": "Fetch_Data", "status": "SUCCESS"}
_TRACE_ID: Final = "6f1c4d2e-8a3b-4c5d-9e7f-0a1b2c3d4e5f"

Span = tuple[float, float]


def ready_rows(count: int) -> list[tuple[bytes, int]]:
    """Encoded rows of 300 bytes, and their ids."""
    ids, rows, size = IdGenerator(), [], 0
    for _ in range(count):
        row_id = ids.next()
        data = {**_STEP, "input_data": {"text": "x" * size}}
        row = make_row(_TABLE, data, row_id=row_id, trace_id=_TRACE_ID, now=1_795_000_000.0)
        line = codec.encode(_TABLE, row)
        if not size:
            size = ROW_BYTES - len(line)
        rows.append((line, row_id))
    return rows


def write(_number: int, folder: Path, count: int) -> Span:
    rows = ready_rows(count)
    fd = os.open(folder / "plain.csv", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    ready()
    started = time.monotonic()
    for line, _ in rows:
        os.write(fd, line)
    ended = time.monotonic()
    os.close(fd)
    return started, ended


def append(_number: int, folder: Path, count: int) -> Span:
    rows = ready_rows(count)
    journal = Journal(folder, _TABLE)
    ready()
    started = time.monotonic()
    for line, row_id in rows:
        journal.append(line, row_id)
    ended = time.monotonic()
    journal.close()
    return started, ended


def log(number: int, folder: Path, count: int) -> Span:
    logger = CSVOnlyLogger(folder)
    ready()
    started = time.monotonic()
    for n in range(count):
        data = {**_STEP, "execution_order": n, "input_data": {"page": n, "worker": number}}
        logger.log(None, TASK_PROGRESS_LOGS, data)
    ended = time.monotonic()
    logger.close()
    return started, ended


WAYS: Final[dict[str, Callable[[int, Path, int], Span]]] = {
    "os.write, ready rows": write,
    "Journal.append, ready rows": append,
    "logger.log, small dictionaries": log,
}


def rate(way: Callable[[int, Path, int], Span], processes: int, rows: int) -> float:
    """Rows a second of all processes together."""
    with tempfile.TemporaryDirectory() as folder:
        spans = together(processes, way, Path(folder), rows // processes)
    seconds = max(end for _, end in spans) - min(start for start, _ in spans)
    return rows // processes * processes / seconds


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(prog="manage.py bench append", description=__doc__)
    parser.add_argument(
        "--rows", type=int, default=200_000, help="of all processes together (200,000)"
    )
    parser.add_argument(
        "--processes", type=int, nargs="+", default=[1, 2, 4], help="one number or several (1 2 4)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="of each (3)")
    options = parser.parse_args(arguments)
    rates: dict[tuple[str, int], list[float]] = {}
    for _ in range(options.rounds):
        for processes in options.processes:
            for name, way in WAYS.items():
                rates.setdefault((name, processes), []).append(rate(way, processes, options.rows))
    print(f"| rows/s together, {os.cpu_count()} cores | processes | rows/s | of os.write |")
    print("|---|---:|---:|---:|")
    limit = next(iter(WAYS))
    for name in WAYS:
        for processes in options.processes:
            value = statistics.median(rates[name, processes])
            share = value / statistics.median(rates[limit, processes])
            print(f"| {name} | {processes} | {value:,.0f} | {share:.2f} |")
    return 0
