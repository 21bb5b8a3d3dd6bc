"""The trace log's store: token, tables, and a round trip that leaves nothing behind."""

import base64
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from app.config import Settings
from app.lib.tracelog.schema import TABLES
from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.store import Store, StoreError
from app.trace_log import make_store
from commands.kit import checks
from commands.kit.doctor.finding import Finding, note, ok, wrong
from commands.kit.logs.place import Place
from commands.kit.words import Failure, place

_QUERY_SECONDS = 5.0
_SOON_DAYS = 14
# One transaction, so nobody else ever sees it.
_PROBE = ("CREATE TABLE tracelog_doctor (x)", "DROP TABLE tracelog_doctor")


def log_store(settings: Settings) -> Iterator[Finding]:
    if elsewhere := Place(settings, json=False, progress=False).elsewhere():
        yield note("Log store", "logs_elsewhere", **elsewhere)
    url = settings.trace_store_url
    if url.startswith("file:"):
        # A store that is not there yet is made with the first row, and not by looking.
        if not Path(url.removeprefix("file:")).exists():
            yield ok("Log store", "doctor_store_to_come")
            return
    else:
        # First: why the server refuses it may stand in the token itself.
        yield from _token(settings.turso_token.get_secret_value())
        try:
            checks.check_trace_store(settings)
        except Failure as failure:
            yield Finding("Log store", "note", str(failure))
            return
    store = make_store(settings)
    try:
        yield _round_trip(store)
        yield _tables(store)
    except StoreError as error:
        yield note("Log store", "doctor_store_fails", reason=error)
    finally:
        store.close()


def _token(token: str) -> Iterator[Finding]:
    """What the token says about itself; whether it is good, only the server knows."""
    try:
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        access = claims.get("a")
        ends = datetime.fromtimestamp(claims["exp"], UTC) if "exp" in claims else None
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError):
        return  # a server of one's own may want another kind, or none
    now = datetime.now(UTC)
    if ends is not None and ends <= now:
        at = place("TURSO_TOKEN")
        yield wrong("Log token", "doctor_token_ended", day=ends.date(), place=at)
    elif access == "ro":
        yield wrong("Log token", "doctor_token_reads")
    elif ends is None:
        yield ok("Log token", "doctor_token")
    else:
        say = note if (ends - now).days < _SOON_DAYS else ok
        yield say("Log token", "doctor_token_ends", day=ends.date())


def _round_trip(store: Store) -> Finding:
    store.query("SELECT 1", timeout=_QUERY_SECONDS)  # the connection is made by this one
    started = time.monotonic()
    store.transact([Statement(sql) for sql in _PROBE])
    milliseconds = (time.monotonic() - started) * 1000
    return ok("Log store", "doctor_store", name=store.name, ms=round(milliseconds))


def _tables(store: Store) -> Finding:
    missing = []
    for table in TABLES.values():
        sql = f"SELECT lower(name) FROM pragma_table_info('{table.name}')"  # noqa: S608 # our names
        there = {row[0] for row in store.query(sql, timeout=_QUERY_SECONDS).rows}
        missing += [f"{table.name}.{name}" for name in table.column_names if name not in there]
    if len(missing) == sum(len(table.column_names) for table in TABLES.values()):
        return ok("Log tables", "doctor_log_tables_none")
    if missing:
        return note("Log tables", "doctor_log_tables_differ", which=", ".join(missing))
    return ok("Log tables")
