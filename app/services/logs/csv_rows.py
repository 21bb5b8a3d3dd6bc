"""The newest part of this host's CSV files: what lists and traces are made of without the store."""

import sys
from collections.abc import Iterator
from io import SEEK_END, BytesIO
from pathlib import Path
from typing import Final

import orjson

from app.lib.tracelog import ids
from app.lib.tracelog.journal.reader import list_segments, read_from
from app.lib.tracelog.schema import API_LOGS, TABLES, TASK_PROGRESS_LOGS, Table
from app.lib.tracelog.store.store import Cell
from app.schemas.log import RequestFilter, RequestPage
from app.services.logs.log_rows import LogRow, id_of
from app.services.logs.trace_assembly import request_line

NEAR_BYTES: Final = 1 << 20
"""So much of a file is read for what has only just happened."""

FAR_BYTES: Final = 16 << 20
"""So much of a file is read while there is nothing else to ask."""

_FILES: Final = 2


def csv_rows(
    log_dir: Path, table: Table, *, max_bytes: int = NEAR_BYTES
) -> Iterator[dict[str, Cell]]:
    """The rows at the end of the newest two files, oldest first."""
    return _rows(log_dir, table, max_bytes, b"")


def csv_trace(
    log_dir: Path, table: Table, trace_id: str, *, max_bytes: int
) -> Iterator[dict[str, Cell]]:
    """Those of one trace. Lines without its id are passed over, which costs next to nothing."""
    for row in _rows(log_dir, table, max_bytes, trace_id.encode()):
        if row["trace_id"] == trace_id:
            yield row


def _rows(log_dir: Path, table: Table, max_bytes: int, having: bytes) -> Iterator[dict[str, Cell]]:
    for segment in list_segments(log_dir, table)[-_FILES:]:
        try:
            with segment.path.open("rb") as file:
                file.seek(max(file.seek(0, SEEK_END) - max_bytes, 0))
                *lines, _ = file.read(max_bytes).split(b"\n")
        except OSError:
            continue  # it was sealed or deleted at this moment
        data = b"".join(line + b"\n" for line in lines if having in line)
        chunk = read_from(BytesIO(data), table, 0, max_rows=sys.maxsize, max_bytes=len(data))
        for row in chunk.rows:
            yield dict(zip(table.column_names, row, strict=True))


def csv_page(log_dir: Path, wanted: RequestFilter) -> RequestPage:
    """One page of the list out of the files, newest first, as far as they are read."""
    failed = _failed_traces(log_dir)
    rows = csv_rows(log_dir, TABLES[API_LOGS], max_bytes=FAR_BYTES)
    found = {id_of(row): row for row in rows if _matches(row, wanted, failed)}
    newest_first = sorted(found, reverse=True)
    backwards = wanted.before is not None and wanted.after is None
    if backwards:
        newer = [row_id for row_id in newest_first if row_id > (wanted.before or 0)]
        shown = newer[-wanted.limit :]
    else:
        limit = wanted.after if wanted.after is not None else ids.MAX_ID
        shown = [row_id for row_id in newest_first if row_id < limit][: wanted.limit]
    is_last = not shown or shown[-1] == newest_first[-1]
    is_first = not shown or shown[0] == newest_first[0]
    return RequestPage(
        requests=[
            request_line({**row, "failed": int(row["trace_id"] in failed)})
            for row in (found[row_id] for row_id in shown)
        ],
        next_cursor=None if is_last else str(shown[-1]),
        previous_cursor=None if is_first else str(shown[0]),
    )


def _matches(row: LogRow, wanted: RequestFilter, failed: set[str]) -> bool:
    status, duration = row["response_status"], row["duration_ms"]
    endpoint, trace = str(row["endpoint"]), str(row["trace_id"])
    path, when = wanted.path.casefold(), ids.time_of(id_of(row))
    tests = (
        not wanted.status or _has_status(status, wanted.status),
        not wanted.method or row["method"] == wanted.method,
        not path or _has_path(endpoint.casefold(), path),
        not wanted.route or _has_route(row, wanted.route),
        wanted.user is None or row["user_id"] == wanted.user,
        not wanted.ip or row["ip_address"] == wanted.ip,
        not wanted.trace or trace.startswith(wanted.trace),
        wanted.slower is None or (isinstance(duration, int) and duration >= wanted.slower),
        wanted.faster is None or (isinstance(duration, int) and duration < wanted.faster),
        not wanted.failed or trace in failed,
        wanted.since is None or when >= wanted.since,
        wanted.until is None or when < wanted.until,
        not any(
            _matches(row, RequestFilter.model_validate({name: value}), failed)
            for name, value in wanted.without
        ),
    )
    return all(tests)


def _has_status(status: Cell, wanted: str) -> bool:
    text = str(status)
    return text[:1] == wanted[:1] if wanted.endswith("xx") else text == wanted


def _has_path(endpoint: str, path: str) -> bool:
    begins, ends = path.startswith("/"), path.endswith("$")
    path = path.removesuffix("$")
    if begins:
        return endpoint == path if ends else endpoint.startswith(path)
    return endpoint.endswith(path) if ends else path in endpoint


def _has_route(row: LogRow, route: str) -> bool:
    headers = str(row["request_header"] or "")
    return f'":route":{orjson.dumps(route).decode()}' in headers


def _failed_traces(log_dir: Path) -> set[str]:
    rows = _rows(log_dir, TABLES[TASK_PROGRESS_LOGS], FAR_BYTES, b"FAILED")
    return {str(row["trace_id"]) for row in rows if row["status"] == "FAILED"}
