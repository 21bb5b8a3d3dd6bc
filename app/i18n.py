"""Languages: which one a request speaks, its words, and how it writes dates and numbers.

Message ids are the English sentences. Catalogues are read from `.po` files when the app starts, so
nothing compiled needs to be committed. `manage.py messages` keeps them up to date.
"""

import io
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

LOCALES: Final = Path(__file__).parent / "locales"
DEFAULT: Final = "en"
LABELS: Final[Mapping[str, str]] = {"ja": "日本語", "en": "English"}
"""The languages there are, each in its own words."""

_MEBIBYTE: Final = 1_048_576

# Beyond this a date says more than "23 days ago".
_RELATIVE_SECONDS: Final = 7 * 24 * 3600


class Language:
    """One language: translations, and dates and numbers as its readers write them."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.label = LABELS[code]
        self.gap = "" if code == "ja" else " "
        """Between two sentences: a Japanese full stop has its room already."""
        self.locale = Locale.parse(code)
        self.translations = _translations(code)
        self.gettext: Callable[[str], str] = self.translations.gettext
        self.ngettext: Callable[[str, str, int], str] = self.translations.ngettext
        # A page has hundreds of numbers and times, and most of them again and again.
        kept = lru_cache(4096)
        self._number = kept(partial(numbers.format_decimal, locale=self.locale))
        self._day = kept(partial(dates.format_date, format="medium", locale=self.locale))
        self._moment = kept(self._written)
        self._delta = kept(
            partial(dates.format_timedelta, add_direction=True, threshold=0.9, locale=self.locale)
        )

    def day(self, value: date) -> str:
        """A calendar day, such as `Nov 23, 2026` or `2026/11/23`."""
        return self._day(value)

    def moment(self, value: datetime, zone: tzinfo) -> str:
        """A moment to the second in `zone`, with the zone's name."""
        return self._moment(_aware(value).astimezone(UTC).replace(microsecond=0), zone)

    def _written(self, value: datetime, zone: tzinfo) -> str:
        value = value.astimezone(zone)
        return f"{dates.format_datetime(value, 'medium', zone, self.locale)} {value.tzname()}"

    def ago(self, value: datetime, zone: tzinfo, now: datetime | None = None) -> str:
        """How long ago a moment was, or its day in `zone` when that is more than a week ago."""
        value, now = _aware(value), now or datetime.now(UTC)
        if abs((now - value).total_seconds()) >= _RELATIVE_SECONDS:
            return self.day(value.astimezone(zone).date())
        return self._delta((value - now) // timedelta(seconds=1))

    def number(self, value: float) -> str:
        return self._number(value)

    def file_size(self, count: int) -> str:
        """Bytes as people's computers show them: `1.5 MB`, below a tenth of that `12 kB`."""
        if count < _MEBIBYTE / 10:
            return f"{self.number(-(-count // 1024))} kB"
        return f"{self.number(round(count / _MEBIBYTE, 1))} MB"


@cache
def language(code: str) -> Language:
    """The language of a code in `LABELS`."""
    return Language(code)


def negotiate(cookie: str, accept_language: str) -> Language:
    """The language of the reader: their own choice first, then what the browser prefers."""
    if cookie in LABELS:
        return language(cookie)
    wanted: list[tuple[float, str]] = []
    for part in accept_language.split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            wanted.append((float(quality or 1), tag.partition("-")[0].lower()))
        except ValueError:
            continue
    # Stable sort: equal qualities keep the browser's order.
    for weight, code in sorted(wanted, key=lambda pair: -pair[0]):
        if weight > 0 and code in LABELS:
            return language(code)
    return language(DEFAULT)


def time_zone(name: str) -> tzinfo:
    """The time zone of an IANA name; UTC for anything else."""
    try:
        return ZoneInfo(name) if name else UTC
    except (KeyError, ValueError, OSError):  # unknown, malformed, or a folder of the zone database
        return UTC


def _aware(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def catalogue_path(code: str) -> Path:
    return LOCALES / code / "LC_MESSAGES" / "messages.po"


def _translations(code: str) -> NullTranslations:
    if code == DEFAULT:
        return NullTranslations()
    with catalogue_path(code).open("rb") as file:
        catalogue = read_po(file, locale=code)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(fp=compiled)
