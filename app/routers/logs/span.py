"""The span of time that the pages of the trace log look at, as it stands in their URLs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from urllib.parse import urlencode

from app.lib.tracelog.ids import MAX_ID, time_of

RANGES: Final[Mapping[str, timedelta]] = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
DEFAULT_RANGE: Final = "24h"

_LONGEST: Final = 366 * 86_400
_MINUTE: Final = 60
_LATEST: Final = int(time_of(MAX_ID)) - _MINUTE
"""In the year 2086; of later moments there is no id that a store could be asked for."""


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` up to `end`, in whole minutes of Unix time; all time where `start` is 0.

    `preset` is the range that ends now, empty where a URL names both ends.
    """

    start: int
    end: int
    preset: str = ""

    @property
    def state(self) -> dict[str, str]:
        """What of a URL stands for this span."""
        if self.preset:
            return {"range": self.preset}
        if not self.start:
            return {}
        return {"from": str(self.start), "to": str(self.end)}

    @property
    def is_bounded(self) -> bool:
        return self.start > 0

    @property
    def query(self) -> str:
        return f"?{urlencode(self.state)}" if self.state else ""

    @property
    def starts_at(self) -> datetime:
        return datetime.fromtimestamp(self.start, UTC)

    @property
    def ends_at(self) -> datetime:
        return datetime.fromtimestamp(self.end, UTC)

    @property
    def wider(self) -> "Span":
        """The span three times as long around this one, to zoom out into."""
        length = self.end - self.start
        return Span(self.start - length, self.end + length)

    def moved(self, times: int) -> "Span":
        """Moved by its own length, so many times."""
        by = times * (self.end - self.start)
        return Span(self.start + by, self.end + by)


def preset_span(name: str, now: datetime) -> Span:
    """A range of `RANGES` that ends with the minute that is not over yet; `""` is all time."""
    end = int(now.timestamp()) // _MINUTE * _MINUTE + _MINUTE
    if not name:
        return Span(0, end)
    return Span(end - int(RANGES[name].total_seconds()), end, name)


def read_span(
    parameters: Mapping[str, str], now: datetime, zone: tzinfo, *, default: str = DEFAULT_RANGE
) -> Span:
    """The span of a URL; the default where it names none that makes sense, `""` for all time.

    Ends are Unix seconds, or a local time as a form's field sends it, on the reader's clock. Which
    of two is the first does not matter; one alone goes up to now, or as far back as a span can.
    """
    start, end = (_moment(parameters.get(name, ""), zone) for name in ("from", "to"))
    if end is None:
        end = int(now.timestamp())
    elif start is None:
        start = end - _LONGEST
    else:
        start, end = min(start, end), max(start, end)
        end = max(end, start + 1)  # the same minute twice is that minute
    if start is not None and _MINUTE <= start < end:
        start, end = start // _MINUTE * _MINUTE, -(-end // _MINUTE) * _MINUTE
        return Span(max(start, end - _LONGEST), end)
    name = parameters.get("range", "")
    return preset_span(name if name in RANGES else default, now)


def _moment(text: str, zone: tzinfo) -> int | None:
    try:
        if text.isascii() and text.isdigit():
            moment = int(text)
        else:
            local = datetime.fromisoformat(text)
            moment = int((local if local.tzinfo else local.replace(tzinfo=zone)).timestamp())
    except (ValueError, OverflowError):
        return None
    return moment if moment < _LATEST else None
