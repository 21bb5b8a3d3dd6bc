"""`logs prune` and `logs quarantine`."""

import time
from dataclasses import asdict
from typing import Final

from app.lib.tracelog.shipper.checkpoint import Checkpoint
from app.lib.tracelog.shipper.election import LOCK_NAME, Election
from app.lib.tracelog.shipper.quarantine import Entry, Quarantine
from app.lib.tracelog.shipper.redelivery import redeliver
from app.lib.tracelog.upkeep.housekeeping import PAUSE_SECONDS
from app.lib.tracelog.upkeep.retention import Retention
from app.lib.tracelog.upkeep.room import Freed, make_room
from app.trace_log import make_rules
from commands.kit.logs.meter import Meter
from commands.kit.logs.place import Place
from commands.kit.words import print_json, say

_SHOWN: Final = 100


def prune(place: Place) -> int:
    """Delete what is older or more than the settings keep, in the store and in the folder."""
    rules = make_rules(place.settings)
    meter = Meter(wanted=place.progress)
    with place.store() as store:
        retention = Retention(store, rules)
        for chunk in retention.run(whole=True):
            meter.add(chunk.rows)
            if chunk.rows:
                time.sleep(PAUSE_SECONDS)
    meter.end()
    freed = _tend_folder(place)
    if place.json:
        of_store = {"rows": meter.rows, "too_large": retention.too_large}
        print_json({"store": of_store, "folder": asdict(freed) if freed else None})
        return 0
    say("logs_pruned_store", rows=f"{meter.rows:,}")
    if freed is None:
        say("logs_folder_is_tended")
    else:
        say("logs_pruned_folder", files=freed.files, size=f"{freed.bytes:,}")
    if freed is not None and freed.dropped:
        say("logs_pruned_dropped", rows=f"{freed.dropped:,}")
    if retention.too_large:
        say("logs_still_too_large")
    return 0


def _tend_folder(place: Place) -> Freed | None:
    """Make room in the folder; None where another process delivers, and so does it by itself."""
    if not place.folder.is_dir():
        return Freed()
    election = Election(place.folder / LOCK_NAME)
    try:
        if not election.lead():
            return None
        checkpoint = Checkpoint.take_over(place.folder, election.leads)
        return make_room(place.folder, checkpoint, make_rules(place.settings), time.time())
    finally:
        election.resign()


def show_quarantine(place: Place) -> int:
    """What can never be delivered, and why."""
    entries = list(Quarantine(place.folder).entries())
    if place.json:
        print_json([_as_json(entry) for entry in entries])
        return 0
    for entry in entries:
        print(f"{entry.at}  {entry.table} {entry.segment}@{entry.start}  {entry.reason}")
        print(f"    {_preview(entry)}")
    if entries:
        say("logs_quarantine_lists", rows=f"{len(entries):,}")
    else:
        say("logs_quarantine_empty")
    return 0


def retry_quarantine(place: Place) -> int:
    """Deliver what can be delivered by now; 1 where something is left."""
    with place.store() as store:
        store.migrate()
        done = redeliver(Quarantine(place.folder), store)
    if place.json:
        print_json(asdict(done))
    else:
        say("logs_quarantine_retried", shipped=f"{done.shipped:,}", left=f"{done.left:,}")
    return int(done.left > 0)


def discard_quarantine(place: Place) -> int:
    """Give up what lies in quarantine; it is counted as dropped."""
    quarantine = Quarantine(place.folder)
    keys = [entry.key for entry in quarantine.entries()]
    if keys:
        quarantine.take_out(dict.fromkeys(keys, "discarded"))
    if place.json:
        print_json({"discarded": len(keys)})
    else:
        say("logs_quarantine_discarded", rows=f"{len(keys):,}")
    return 0


def _as_json(entry: Entry) -> dict[str, object]:
    return {
        "at": entry.at,
        "table": entry.table,
        "segment": str(entry.segment),
        "start": entry.start,
        "end": entry.end,
        "reason": entry.reason,
        "text": entry.raw.decode(errors="backslashreplace"),
    }


def _preview(entry: Entry) -> str:
    text = entry.raw[:_SHOWN].decode(errors="backslashreplace")
    shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text.rstrip("\n"))
    return shown + ("…" if len(entry.raw) > _SHOWN else "")
