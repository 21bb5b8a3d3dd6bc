"""Gives what lies in quarantine another chance: rules and stores change."""

from dataclasses import dataclass

from app.lib.tracelog import codec
from app.lib.tracelog.schema import TABLES
from app.lib.tracelog.shipper.quarantine import Entry, Key, Outcome, Quarantine
from app.lib.tracelog.store.store import Batch, RowRejected, Store


@dataclass(slots=True)
class Redelivered:
    """How many entries are in the store by now, and how many still cannot be."""

    shipped: int = 0
    left: int = 0


def redeliver(quarantine: Quarantine, store: Store) -> Redelivered:
    """Deliver what can be read and is not rejected by now. Raises `StoreError` and `OSError`.

    What was delivered is taken out in any case.
    """
    done = Redelivered()
    taken_out: dict[Key, Outcome] = {}
    try:
        for entry in quarantine.entries():
            if _deliver(entry, store):
                taken_out[entry.key] = "shipped"
                done.shipped += 1
            else:
                done.left += 1
    finally:
        if taken_out:
            quarantine.take_out(taken_out)
    return done


def _deliver(entry: Entry, store: Store) -> bool:
    if entry.table not in TABLES:
        return False
    try:
        row = codec.decode(TABLES[entry.table], entry.raw)
        store.insert(Batch({entry.table: [row]}))
    except (codec.BadLine, RowRejected):
        return False
    return True
