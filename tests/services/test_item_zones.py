"""Zones: where to read on, against every place there is."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from app.schemas.cursor import Key
from app.services.item_zones import (
    ORDERS,
    ZONES,
    GatheredZones,
    Order,
    Place,
    StoredZones,
    next_place,
    zone_of,
)

DAY = date(2026, 11, 5)


def places(order: Order, random: Random) -> list[Place]:
    """Places in many zones, sorted."""

    def key(number: int) -> Key:
        match order:
            case "created":
                return None
            case "updated":
                return datetime(2026, 11, 5, tzinfo=UTC) + timedelta(hours=37 * number)
            case "due":
                return DAY + timedelta(days=3 * number)
            case "title":
                return random.choice("0aqzぁさナ一東龠\U0001f600") + random.choice("あz")

    made = [(key(number), 1 + 5000 * number) for number in range(300)]
    return sorted(made, key=lambda place: (str(place[0]), place[1]) if place[0] else place[1:])


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("descending", [False, True])
def test_reading_on_passes_over_nothing_of_the_zones(order: Order, descending: bool) -> None:
    random = Random(11)
    along = places(order, random)
    if descending:
        along.reverse()

    def rank(place: Place) -> tuple[str, int]:
        return str(place[0] or ""), place[1]

    for _ in range(200):
        start = random.randrange(len(along))
        wanted = along[random.randrange(start, len(along))]
        bits = 1 << zone_of(order, *wanted) % ZONES
        behind = [
            place
            for place in along[start + 1 :]
            if zone_of(order, *place) % ZONES in {zone_of(order, *wanted) % ZONES}
        ]
        found = next_place(order, bits, along[start], descending)
        if found is None:
            assert behind == []
        elif behind:
            first = behind[0]
            assert (rank(found) > rank(first)) if descending else (rank(found) < rank(first))


def test_of_zones_that_are_stored_only_what_is_new_is_sent_again() -> None:
    stored, first, later = StoredZones(), GatheredZones(1), GatheredZones(1)
    first.add(("tea", "cup"), 0b01)
    first.note(stored)
    later.add(("tea", "pot"), 0b01)
    later.add(("cup",), 0b11)

    assert dict(stored.missing({"tea": 0b01})) == {}
    assert [row[1:3] for row in later._rows(stored)] == [("cup", 0b11), ("pot", 0b01)]
