"""`logs export` and `logs import`."""

import datetime as dt
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.lib.tracelog import ids
from app.lib.tracelog.schema import TABLES
from app.lib.tracelog.transfer.csv_source import BadRow, CSVSource, UnknownTable
from app.lib.tracelog.transfer.export import export
from app.lib.tracelog.transfer.load import Loaded, load
from app.lib.tracelog.transfer.whole_file import Fault, WrongFile
from app.lib.tracelog.upkeep.retention import DAY
from app.trace_log import make_redactor
from commands.kit.logs.meter import Meter
from commands.kit.logs.place import Place
from commands.kit.words import Failure, print_json, say

_FAULTS: Final[dict[Fault, str]] = {
    "pipe": "logs_import_pipe",
    "empty": "logs_import_empty",
    "packed": "logs_import_packed",
    "encoding": "logs_import_encoding",
    "separator": "logs_import_separator",
    "header": "logs_import_header",
    "twice": "logs_import_twice",
    "rounded": "logs_import_rounded",
}
_MOST_TOLD: Final = 1_000
"""So many bad rows are told one by one as JSON; on the screen all are."""


def write_out(place: Place, folder: Path) -> int:
    """Write the store's rows to CSV files in `folder`."""
    if folder.resolve() == place.folder.resolve():
        raise Failure("logs_export_into_log", folder=folder)
    meter = Meter(wanted=place.progress)
    with place.store() as store:
        try:
            rows = export(store, folder, meter.add)
        except FileExistsError as error:
            raise Failure("logs_export_exists", path=error.filename) from None
    meter.end()
    if place.json:
        print_json({"folder": str(folder), "rows": rows})
    else:
        for name, count in rows.items():
            say("logs_exported", rows=f"{count:,}", path=folder / f"{name}.csv")
    return 0


def read_in(place: Place, paths: Sequence[Path], *, table: str | None, zone: str | None) -> int:
    """Load CSV files into the store; 1 where rows had to be left out."""
    sources = [_open(place, path, table, zone) for path in paths]
    meter = Meter(sum(source.size for source in sources), wanted=place.progress)
    days = place.settings.log_retention_days
    old_before = ids.first_at(time.time() - days * DAY) if days else 0
    shown = []
    total = Loaded()
    with place.store() as store:
        store.migrate()
        for source in sources:
            bad: list[BadRow] = []
            teller = _Teller(source, bad, aloud=not place.json)
            watcher = _Watcher(source, meter)
            loaded = load(store, source, old_before=old_before, tell=teller, watch=watcher)
            shown.append(
                {"file": str(source.path), "table": source.table.name, **asdict(loaded)}
                | {"bad_rows": [asdict(each) for each in bad]}
            )
            for name, number in asdict(loaded).items():
                setattr(total, name, getattr(total, name) + number)
    meter.end()
    if place.json:
        print_json({"files": shown})
    else:
        _tell(total, days)
    return int(total.bad > 0)


def _open(place: Place, path: Path, table: str | None, zone: str | None) -> CSVSource:
    try:
        return CSVSource(
            path,
            make_redactor(place.settings),
            table=TABLES[table] if table else None,
            zone=_zone(zone),
        )
    except UnknownTable:
        raise Failure("logs_unknown_table", path=path, tables=", ".join(TABLES)) from None
    except WrongFile as error:
        raise Failure(_FAULTS[error.fault], path=path, what=error.what) from None
    except OSError as error:
        raise Failure("logs_unreadable", path=path, reason=error.strerror) from None


def _zone(name: str | None) -> dt.tzinfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Failure("logs_unknown_zone", name=name) from None


class _Teller:
    """Says which rows are bad as they come."""

    def __init__(self, source: CSVSource, bad: list[BadRow], *, aloud: bool) -> None:
        self._source = source
        self._bad = bad
        self._aloud = aloud

    def __call__(self, bad: BadRow) -> None:
        if len(self._bad) < _MOST_TOLD:
            self._bad.append(bad)
        if self._aloud:
            print(f"{self._source.path}:{bad.line}: {bad.reason}", file=sys.stderr)


class _Watcher:
    """Hands a file's progress on to a meter of several files."""

    def __init__(self, source: CSVSource, meter: Meter) -> None:
        self._source = source
        self._meter = meter
        self._rows = 0
        self._position = 0

    def __call__(self, loaded: Loaded) -> None:
        rows, position = loaded.written + loaded.known + loaded.bad, self._source.position
        self._meter.add(rows - self._rows, position - self._position)
        self._rows, self._position = rows, position


def _tell(total: Loaded, days: int) -> None:
    say("logs_imported", written=f"{total.written:,}", known=f"{total.known:,}")
    if total.moved:
        say("logs_import_moved", rows=f"{total.moved:,}")
    if total.guessed:
        say("logs_import_guessed", rows=f"{total.guessed:,}")
    if total.old:
        say("logs_import_old", rows=f"{total.old:,}", days=days)
    if total.bad:
        say("logs_import_bad", rows=f"{total.bad:,}")
