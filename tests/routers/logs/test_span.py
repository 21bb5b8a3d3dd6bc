"""Which span of time a URL of the log's pages means."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app.routers.logs.span import Span, preset_span, read_span

TOKYO = ZoneInfo("Asia/Tokyo")
NOW = datetime(2026, 11, 28, 3, 0, 30, tzinfo=UTC)
TEN = int(datetime(2026, 11, 28, 1, 0, tzinfo=UTC).timestamp())
"""At ten in Tokyo, in Unix time."""

YEAR = 366 * 86_400


@pytest.mark.parametrize(
    ("start", "end", "span"),
    [
        ("2026-11-28T10:00", "2026-11-28T11:00", Span(TEN, TEN + 3600)),
        ("2026-11-28T11:00", "2026-11-28T10:00", Span(TEN, TEN + 3600)),
        ("2026-11-28T10:00", "2026-11-28T10:00", Span(TEN, TEN + 60)),
        ("2026-11-28T10:00", "", Span(TEN, TEN + 2 * 3600 + 60)),
        ("2026-11-28T10:00", "2099-12-31T23:59", Span(TEN, TEN + 2 * 3600 + 60)),
        ("", "2026-11-28T10:00", Span(TEN - YEAR, TEN)),
    ],
    ids=["both", "the later one first", "one minute", "from only", "no end", "to only"],
)
def test_what_is_typed_into_the_two_fields_is_what_is_shown(
    start: str, end: str, span: Span
) -> None:
    assert read_span({"from": start, "to": end, "range": "1h"}, NOW, TOKYO) == span


@pytest.mark.parametrize(
    ("start", "end"),
    [
        *[("", ""), ("x", "y"), ("99999999999", ""), ("5", "2"), ("", "7")],
        ("", "9999-12-31T23:59"),
    ],
)
def test_ends_that_make_no_sense_are_left_out(start: str, end: str) -> None:
    assert read_span({"from": start, "to": end, "range": "1h"}, NOW, TOKYO) == preset_span(
        "1h", NOW
    )


def test_a_span_moves_by_its_own_length() -> None:
    day = preset_span("24h", NOW)
    assert day.moved(-1) == Span(day.start - 86_400, day.start)
    assert day.moved(-1).moved(1) == Span(day.start, day.end)
