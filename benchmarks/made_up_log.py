"""A made-up trace log of any size: requests over some days, and a task with three rows for each."""

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from app.lib.tracelog.ids import IdGenerator
from app.lib.tracelog.rows import make_row
from app.lib.tracelog.schema import API_LOGS, TABLES, TASK_PROGRESS_LOGS, Row, Table
from app.lib.tracelog.store.store import Batch

DAYS: Final = 13

_API, _STEPS = TABLES[API_LOGS], TABLES[TASK_PROGRESS_LOGS]
_ROUTES: Final = (
    ("GET", "/items", "Item_List", 15),
    ("GET", "/items/{item_id}", "Item_Show", 8),
    ("POST", "/items", "Item_Create", 25),
    ("POST", "/items/{item_id}", "Item_Update", 30),
    ("GET", "/api/items", "Item_List", 12),
    ("POST", "/sign-in", "Account_Sign_In", 120),
    ("GET", "/reports/{month}", "Report_Build", 700),
    ("POST", "/import", "Import_Rows", 2500),
)
_FAILURES: Final = ("ValueError: no days in 2026-13", "TimeoutError: the bank did not answer")
_STACK: Final = (
    "Traceback (most recent call last):\n"
    '  File "/app/app/services/{task}.py", line 12, in run\n    raise error\n{error}'
)
_HEADERS: Final = {
    "accept": "text/html,application/xhtml+xml",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36",
    "accept-language": "ja,en;q=0.8",
}
_MANY_STEPS: Final = 5_000
LONG_TRACE: Final = str(uuid.UUID(int=1))
"""A request whose task has five thousand steps."""


class MadeUpLog:
    """Batches of rows, oldest first, with `requests` requests up to `now`; the same each time."""

    def __init__(self, requests: int, now: datetime | None = None) -> None:
        self.requests = requests
        self.now = now or datetime.now(UTC)
        self._random = random.Random(4)
        self._at = self.now - timedelta(days=DAYS)
        self._ids = IdGenerator(node=1, clock_ns=lambda: int(self._at.timestamp() * 1e9))

    def batches(self, rows: int) -> Iterator[Batch]:
        requests: list[Row] = []
        steps: list[Row] = []
        gap = timedelta(days=DAYS) / (self.requests + 1)
        for number in range(self.requests):
            self._at += gap
            request, made = self._request(number)
            requests.append(request)
            steps += made
            if len(requests) + len(steps) >= rows:
                yield Batch({API_LOGS: requests, TASK_PROGRESS_LOGS: steps})
                requests, steps = [], []
        request, made = self._long()
        yield Batch({API_LOGS: [*requests, request], TASK_PROGRESS_LOGS: [*steps, *made]})

    def _request(self, number: int) -> tuple[Row, list[Row]]:
        draw = self._random
        method, route, task, usual = _ROUTES[min(int(draw.expovariate(0.6)), len(_ROUTES) - 1)]
        trace = str(uuid.UUID(int=draw.getrandbits(128), version=4))
        duration = draw.lognormvariate(0, 0.7) * usual
        fails = draw.random() < 0.004
        error = draw.choice(_FAILURES) if fails else None
        outcome = "FAILED" if fails else "SUCCESS"
        steps = [
            self._step(trace, task, "Validate", 1, "SUCCESS", None),
            self._step(trace, task, "Work", 2, "START", None),
            self._step(trace, task, "Work", 2, outcome, error),
        ]
        path = route.replace("{item_id}", str(number % 5000)).replace("{month}", "2026-11")
        status = 500 if fails else 404 if draw.random() < 0.03 else 200
        data = {
            "method": method,
            "endpoint": path,
            "request_header": _HEADERS | {":route": route, ":http_version": "1.1"},
            "response_status": status,
            "response_body": {":size": 2048},
            "duration_ms": int(duration),
            "ip_address": f"192.0.2.{draw.randrange(250)}",
            "user_id": draw.randrange(1, 2000),
        }
        return self._row(_API, data, trace), steps

    def _step(
        self, trace: str, task: str, step: str, order: int, status: str, error: str | None
    ) -> Row:
        data: dict[str, object] = {
            "task_name": task,
            "step_name": step,
            "status": status,
            "execution_order": order,
            "input_data": {"count": order} if status == "START" else None,
        }
        if error:
            data["error_message"] = error
            data["stack_trace"] = _STACK.format(task=task.lower(), error=error)
        return self._row(_STEPS, data, trace)

    def _long(self) -> tuple[Row, list[Row]]:
        """A request that began a minute ago, and what its task did meanwhile and afterwards."""
        began = self._at
        steps = []
        for number in range(_MANY_STEPS):
            for status in ("START", "SUCCESS"):
                self._at += timedelta(milliseconds=self._random.lognormvariate(1, 0.8))
                step = f"Row {number}"
                steps.append(self._step(LONG_TRACE, "Import_Rows", step, number + 1, status, None))
        duration = (self._at - began) * 0.7
        data = {
            "method": "POST",
            "endpoint": "/import",
            "request_header": _HEADERS | {":route": "/import", ":http_version": "1.1"},
            "response_status": 202,
            "duration_ms": duration // timedelta(milliseconds=1),
            "created_at": began.timestamp(),
        }
        return self._row(_API, data, LONG_TRACE), steps

    def _row(self, table: Table, data: dict[str, object], trace: str) -> Row:
        now = self._at.timestamp()
        return make_row(table, data, row_id=self._ids.next(), trace_id=trace, now=now)
