"""Sums of requests by minute and hour, method and route."""

import re
from collections.abc import Sequence
from typing import Final

import orjson

from app.lib.tracelog import ids
from app.lib.tracelog.rollup.histogram import bucket_of
from app.lib.tracelog.rollup.tables import BUCKET_COLUMNS, PERIODS, REQUEST_COUNTS
from app.lib.tracelog.schema import API_LOGS, TABLES, Row
from app.lib.tracelog.short_turns import give_way
from app.lib.tracelog.store.store import id_of

KEY_CHARS: Final = 200
"""So much of a route's or a step's name tells it apart from others."""

_NAMES: Final = TABLES[API_LOGS].column_names
_METHOD, _ENDPOINT, _HEADERS, _STATUS, _BODY, _DURATION = (
    _NAMES.index(name)
    for name in (
        *("method", "endpoint", "request_header", "response_status", "response_body"),
        *("duration_ms",),
    )
)
_EVENTS: Final = '{":type":"text/event-stream"'
_FIRST_CLASS: Final = 1
_DURATIONS: Final = REQUEST_COUNTS.index("ms")
_FIRST_BUCKET: Final = len(REQUEST_COUNTS) - len(BUCKET_COLUMNS)
_MOST_MS: Final = 1 << 40
_ROWS_A_TURN: Final = 32
_CLASSES: Final = range(1, 6)
_NOT_FOUND: Final = frozenset({404, 405})
_IDENTIFIER: Final = re.compile(r"/(?:\d+|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16,})(?=/|$)", re.I)

RequestKey = tuple[int, int, str, str]
"""Seconds of the period, its start, method and route."""


def sum_requests(rows: Sequence[Row]) -> dict[RequestKey, list[int]]:
    """The counts of `REQUEST_COUNTS`, of each route and of all together.

    A request counts at the time of its id, when it was recorded: that is by what lists are in
    order, and so what they find in a span of time is what a chart shows of it. The duration of a
    stream of events does not count: it lasts for as long as somebody looks.
    """
    sums: dict[RequestKey, list[int]] = {}
    for number, row in enumerate(rows):
        if number % _ROWS_A_TURN == 0:
            give_way()
        second = int(ids.time_of(id_of(row)))
        method, status, duration = str(row[_METHOD])[:KEY_CHARS], row[_STATUS], row[_DURATION]
        code = status if isinstance(status, int) else 0
        route = route_of(row[_HEADERS], str(row[_ENDPOINT]), code)
        status_class = _FIRST_CLASS + (code // 100 if code // 100 in _CLASSES else 0)
        milliseconds = None
        if isinstance(duration, int) and not str(row[_BODY] or "").startswith(_EVENTS):
            milliseconds = min(max(duration, 0), _MOST_MS)
        for seconds in PERIODS:
            start = second - second % seconds
            for key in ((seconds, start, method, route), (seconds, start, "", "")):
                if (counts := sums.get(key)) is None:
                    counts = sums[key] = [0] * len(REQUEST_COUNTS)
                counts[0] += 1
                counts[status_class] += 1
                if milliseconds is not None:
                    counts[_DURATIONS] += milliseconds
                    counts[_FIRST_BUCKET + bucket_of(milliseconds)] += 1
    return sums


def route_of(headers: object, endpoint: str, status: int) -> str:
    """The route's template; without one the path with its ids left out, of what was found.

    Any number of paths that nobody serves are one route, without a name.
    """
    if isinstance(headers, str) and '":route"' in headers:
        try:
            parsed = orjson.loads(headers)
        except orjson.JSONDecodeError:
            parsed = None
        if isinstance(parsed, dict) and isinstance(route := parsed.get(":route"), str):
            return route[:KEY_CHARS]
    if status in _NOT_FOUND:
        return ""
    return _IDENTIFIER.sub("/{}", endpoint)[:KEY_CHARS]
