"""`logs status` and `logs ship`."""

import logging
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from types import FrameType
from typing import Final

from anyio.from_thread import start_blocking_portal

from app.config import Settings
from app.lib.logger import EnhancedCSVLogger
from app.lib.secret_box import SecretBox
from app.lib.tracelog.bell import Bell
from app.lib.tracelog.disk import make_folder
from app.lib.tracelog.shipper.accounting import Account
from app.services.logs.alert_watch import watch_alerts
from app.trace_log import make_logger
from commands.kit.logs.meter import Meter
from commands.kit.logs.place import Place
from commands.kit.words import Failure, print_json, say, text

DRAIN_SECONDS: Final = 10.0
"""How long a shipper that is asked to end goes on delivering."""

_LOOK_SECONDS: Final = 0.2
_HOPELESS: Final = {"refused", "stopped"}
_STATES: Final = {
    "delivering": "logs_state_delivering",
    "unavailable": "logs_state_unavailable",
    "refused": "logs_state_refused",
    "stopped": "logs_state_stopped",
    "broken": "logs_state_broken",
}


def status(place: Place) -> int:
    """What became of all rows, and how the delivery goes."""
    account = place.account()
    if place.json:
        print_json({"folder": str(place.folder), "store": place.store_name, **asdict(account)})
        return 0
    say("logs_place", folder=place.folder, store=place.store_name)
    _say_state(account)
    for number, key in (
        (account.appended, "logs_appended"),
        (account.shipped, "logs_shipped"),
        (account.pending, "logs_pending"),
        (account.quarantined, "logs_quarantined"),
        (account.dropped, "logs_dropped"),
        (account.unaccounted, "logs_unaccounted"),
    ):
        if key != "logs_unaccounted" or number:
            print(f"{number:>14,}  {text(key)}")
    if elsewhere := place.elsewhere():
        print(text("logs_elsewhere", **elsewhere))
    if account.pending:
        say("logs_lag", seconds=f"{account.lag_seconds:,.0f}", size=_size(account.pending_bytes))
    for table in account.tables:
        say(
            "logs_table",
            name=f"{table.name:<18}",
            files=table.files,
            size=_size(table.bytes),
            pending=f"{table.pending:,}",
        )
    return 0


def ship(place: Place, *, once: bool, seconds: float) -> int:
    """Deliver, until nothing waits or until this process is asked to end."""
    logging.basicConfig(format="%(levelname)s %(message)s", stream=sys.stderr)
    make_folder(place.folder)
    return _ship_once(place, seconds) if once else _ship_on(place)


def _ship_once(place: Place, seconds: float) -> int:
    before = place.account()
    logger = make_logger(place.settings)
    shipper = logger.shipper
    meter = Meter(before.pending_bytes, wanted=place.progress)
    shipped, patience = before.shipped, time.monotonic() + seconds
    marks = shipper.marks()
    shipper.start()
    try:
        while not shipper.drain(_LOOK_SECONDS, marks):
            progress = shipper.progress()
            now = progress.checkpoint.counters.shipped
            if now > shipped:
                meter.add(now - shipped, (now - shipped) * _row_bytes(before))
                shipped, patience = now, time.monotonic() + seconds
            elif progress.state in _HOPELESS or time.monotonic() > patience:
                meter.end()
                reason = progress.last_error or text("logs_no_progress")
                raise Failure("logs_not_shipped", store=place.store_name, reason=reason)
    finally:
        shipper.stop()
    logger.close(0)
    account = place.account()
    meter.add(account.shipped - shipped)
    meter.end()
    if place.json:
        print_json(asdict(account) | {"shipped_now": account.shipped - before.shipped})
    else:
        say("logs_shipped_now", rows=f"{account.shipped - before.shipped:,}")
    return 0


def _ship_on(place: Place) -> int:
    # The handler may run in the middle of the wait.
    ended = Bell()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ended.ring()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    logger = make_logger(place.settings)
    logger.start()
    # As JSON there is the result alone.
    told = sys.stderr if place.json else sys.stdout
    say("logs_shipping", file=told, folder=place.folder, store=place.store_name)
    meter = Meter(wanted=place.progress)
    shipped = place.account().shipped
    with _alerts_watched(place.settings, logger):
        while not ended.wait(1.0):
            now = logger.shipper.progress().checkpoint.counters.shipped
            meter.add(max(now - shipped, 0))
            shipped = now
    say("logs_draining", file=told)
    logger.close(DRAIN_SECONDS)
    account = place.account()
    if place.json:
        print_json(asdict(account))
    else:
        say("logs_ended", pending=f"{account.pending:,}")
    return 0


@contextmanager
def _alerts_watched(settings: Settings, logger: EnhancedCSVLogger) -> Iterator[None]:
    """Meanwhile the alert rules are looked at: who delivers a log does it, here as in the app."""
    box = SecretBox(settings.secret_key.get_secret_value())
    with start_blocking_portal() as portal:
        watch = portal.start_task_soon(watch_alerts, settings, logger, box)
        try:
            yield
        finally:
            watch.cancel()


def _row_bytes(account: Account) -> int:
    return account.pending_bytes // max(account.pending, 1)


def _say_state(account: Account) -> None:
    if account.leader_pid is None:
        say("logs_nobody_delivers")
    else:
        state = text(_STATES.get(account.state, "logs_state_starting"))
        say("logs_state", state=state, pid=account.leader_pid)
    if account.last_error:
        say("logs_last_error", error=account.last_error)


def _size(size: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:,.0f} {unit}" if unit == "B" else f"{size:,.1f} {unit}"
        size /= 1024
    return f"{size:,.1f} GiB"
