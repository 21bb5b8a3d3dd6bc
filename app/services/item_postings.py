"""What is written of items that come together: see `app.services.item_packs`."""

import sys
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import itemgetter, or_
from typing import Final

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.models.item_pack import ItemPack
from app.services.item_zones import GatheredZones, Zones
from app.services.sqlite_rows import insert_rows

_WORTH_IT: Final = 4
"""So many items must have a gram, on average, or the text index would do as well."""
_COMMON: Final = 200
"""Grams that occur more often in a pack are taken to be in all its zones of dates."""


class Postings:
    """What a pack is to have."""

    def __init__(self) -> None:
        self._places: defaultdict[str, list[int]] = defaultdict(list)

    def add(self, grams: Iterable[str], place: int) -> None:
        """Note the grams of the item at `place`; in order."""
        places = self._places
        for gram in grams:
            places[gram].append(place)

    @property
    def are_worth_it(self) -> bool:
        """Whether these items should be a pack."""
        count = sum(map(len, self._places.values()))
        return count > 0 and count >= _WORTH_IT * len(self._places)

    def zones(self, owner_id: int, zones: Sequence[tuple[Zones, ...]]) -> GatheredZones:
        """The zones of all grams; `zones` are those of the item at each place, in parts.

        The first part, of titles, depends on the words; the others hardly do.
        """
        gathered = GatheredZones(owner_id)
        for part in zip(*zones, strict=True):
            few = _COMMON if gathered else len(zones)
            masks = list(dict.fromkeys(part))
            number = {mask: at for at, mask in enumerate(masks)}
            numbers = [number[mask] for mask in part]  # small ones tell more quickly what is equal
            everywhere = reduce(or_, masks)
            for gram, places in self._places.items():
                if len(places) > few:
                    here = everywhere  # if not, it only costs time
                elif len(places) == 1:
                    here = part[places[0]]
                else:
                    here = 0
                    for at in set(itemgetter(*places)(numbers)):
                        here |= masks[at]
                gathered.add((gram,), here)
        return gathered

    def pack(self, count: int) -> "Pack":
        """The pack of these items, `count` of them, as it is written if their ids have no gaps."""
        kind = kind_of(count - 1)
        written = [
            (gram, _to_bytes(array(kind, places))) for gram, places in sorted(self._places.items())
        ]
        return Pack(count, written)


@dataclass(frozen=True, slots=True)
class Pack:
    """Postings as they are stored."""

    count: int
    written: Sequence[tuple[str, bytes]]
    """Of each gram the places of its items."""

    async def store(self, session: AsyncSession, owner_id: int, ids: Sequence[int]) -> None:
        """Make the items with these ids a pack; the item at each place has the id there."""
        first, last = ids[0], ids[-1]
        written = self.written
        if last - first >= self.count:
            written = list(self._with_gaps([item_id - first for item_id in ids]))
        await session.execute(insert(ItemPack).values(id=first, owner_id=owner_id, last_id=last))
        connection = await session.connection()
        if connection.dialect.name == "sqlite":
            values = list[int | str | bytes]()
            for gram, places in written:
                values += (first, gram, owner_id, places)
            await insert_rows(connection, _STORE_ON_SQLITE, "(?, ?, ?, ?)", values)
        else:
            await connection.exec_driver_sql(
                _STORE_ON_POSTGRESQL,
                (
                    first,
                    owner_id,
                    b"".join(places for _, places in written),
                    " ".join(gram for gram, _ in written),
                    " ".join(str(len(places)) for _, places in written),
                ),
            )

    def _with_gaps(self, offsets: Sequence[int]) -> Iterator[tuple[str, bytes]]:
        """With the place among ids in place of each among items."""
        before, kind = kind_of(self.count - 1), kind_of(offsets[-1])
        for gram, places in self.written:
            there = map(offsets.__getitem__, places_from_bytes(before, places))
            yield gram, _to_bytes(array(kind, there))


_STORE_ON_SQLITE: Final = "INSERT INTO item_postings (pack_id, gram, owner_id, places)"
# Three values, which the server cuts up: a driver takes longer over lists of thousands.
_STORE_ON_POSTGRESQL: Final = """
    INSERT INTO item_postings (pack_id, gram, owner_id, places)
    SELECT part.pack_id, part.gram, part.owner_id,
        substring(part.places FROM (part.until - part.size + 1)::int FOR part.size)
    FROM (
        SELECT %s::bigint AS pack_id, %s::bigint AS owner_id, %b::bytea AS places, new.gram,
            new.size, sum(new.size) OVER (ORDER BY new.place) AS until
        FROM unnest(string_to_array(%s, ' '), string_to_array(%s, ' ')::int[])
            WITH ORDINALITY AS new (gram, size, place)
    ) AS part
"""


def kind_of(last: int) -> str:
    """How places are written of which `last` is the highest: other items' ids may be between."""
    return "H" if last < 1 << 16 else "I"


def _to_bytes(places: "array[int]") -> bytes:
    if sys.byteorder == "big":
        places.byteswap()
    return places.tobytes()


def places_from_bytes(kind: str, data: bytes) -> "array[int]":
    places: array[int] = array(kind)
    places.frombytes(data)
    if sys.byteorder == "big":
        places.byteswap()
    return places
