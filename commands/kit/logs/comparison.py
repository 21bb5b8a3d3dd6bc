"""`logs verify`."""

from dataclasses import asdict

from app.lib.tracelog.transfer.verify import Verification, verify
from commands.kit.logs.meter import Meter
from commands.kit.logs.place import Place
from commands.kit.words import print_json, say, text


def compare(place: Place, *, alone: bool | None) -> int:
    """Compare journal and store; 1 where something is wrong.

    Whether extra rows are wrong, since this folder fills the store `alone`, is told by the store
    where it is None: a file is nobody else's.
    """
    alone = place.is_local if alone is None else alone
    account = place.account()
    meter = Meter(sum(table.bytes for table in account.tables), wanted=place.progress)
    with place.store() as store:
        found = verify(place.folder, store, lambda size, rows: meter.add(rows, size))
    meter.end()
    differs = found.differs(alone=alone)
    if place.json:
        examples = [asdict(each) | {"id": str(each.id)} for each in found.examples]
        print_json(asdict(found) | {"examples": examples, "differs": differs})
    else:
        _tell(found)
        if found.missing and (elsewhere := place.elsewhere()):
            print(text("logs_elsewhere", **elsewhere))
        say("logs_differs" if differs else "logs_agrees")
    return int(differs)


def _tell(found: Verification) -> None:
    for number, key in (
        (found.same, "logs_same"),
        (found.moved, "logs_moved"),
        (found.pending, "logs_pending"),
        (found.expired, "logs_expired"),
        (found.quarantined, "logs_quarantined"),
        (found.dropped, "logs_dropped"),
        (found.missing, "logs_missing"),
        (found.different, "logs_different"),
        (found.damaged, "logs_damaged"),
        (found.extra, "logs_extra"),
    ):
        if number or key == "logs_same":
            print(f"{number:>14,}  {text(key)}")
    for each in found.examples:
        place = f" @{each.offset}" if each.kind == "damaged" else ""
        columns = f" ({', '.join(each.columns)})" if each.columns else ""
        print(f"  {each.kind:<9} {each.table} {each.id}{place}{columns}")
