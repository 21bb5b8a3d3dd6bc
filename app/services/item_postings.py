"""What is written of items that come together: see `app.services.item_packs`."""

import struct
import sys
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import itemgetter, or_
from typing import Final, NamedTuple

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.lib.search_grams import word_grams
from app.models.item_pack import ItemPack
from app.services.item_zones import Zones
from app.services.sqlite_rows import insert_rows

_WORTH_IT: Final = 4
"""So many items must have a gram, on average, or the text index would do as well."""
_COMMON: Final = 200
"""Grams that occur more often in a pack are taken to be in all its zones of dates."""


class Gathered(NamedTuple):
    """Of one gram, or of all that one word has, the places of the items and the zones of these."""

    places: Sequence[int]
    zones: Zones


class Postings:
    """What a pack is to have. Its words are cut into grams once each, however often they come."""

    def __init__(self) -> None:
        self._places: defaultdict[str, list[int]] = defaultdict(list)

    def add(self, words: Iterable[str], place: int) -> None:
        """Note the words of the item at `place`; in order."""
        places = self._places
        for word in set(words):
            places[word].append(place)

    def gather(self, titles: Sequence[Zones], dates: Sequence[Zones]) -> dict[str, Gathered]:
        """The grams of all words; `titles` and `dates` are the zones of each place.

        A place may be there twice, which costs less than to look whether it is.
        """
        of_titles, of_dates = _Masks(titles), _Masks(dates)
        once: defaultdict[str, list[int]] = defaultdict(list)
        often: defaultdict[str, list[Gathered]] = defaultdict(list)
        for word, places in self._places.items():
            if len(places) == 1:  # most do, in the order of places: no merging
                place = places[0]
                for gram in set(word_grams(word)):
                    once[gram].append(place)
            else:
                few = len(places) <= _COMMON
                here = of_dates.at(places) if few else of_dates.everywhere
                found = Gathered(places, of_titles.at(places) | here)
                for gram in set(word_grams(word)):
                    often[gram].append(found)
        gathered: dict[str, Gathered] = {}
        for gram, places in once.items():
            zones = of_titles.at(places)
            zones |= of_dates.at(places) if len(places) <= _COMMON else of_dates.everywhere
            gathered[gram] = Gathered(places, zones)
        for gram, others in often.items():
            if gram in gathered:
                others.append(gathered[gram])
            gathered[gram] = others[0] if len(others) == 1 else _merged(others, of_dates.everywhere)
        return gathered


class _Masks:
    """The zones of all places in one order. They are few: small numbers tell them apart sooner."""

    def __init__(self, zones: Sequence[Zones]) -> None:
        self._masks = list(dict.fromkeys(zones))
        number = {mask: at for at, mask in enumerate(self._masks)}
        self._numbers = [number[mask] for mask in zones]
        self.everywhere: Zones = reduce(or_, self._masks, 0)

    def at(self, places: Sequence[int]) -> Zones:
        if len(places) == 1:
            return self._masks[self._numbers[places[0]]]
        here = 0
        for number in set(itemgetter(*places)(self._numbers)):
            here |= self._masks[number]
        return here


def _merged(found: Sequence[Gathered], everywhere: Zones) -> Gathered:
    """Of all of these; `everywhere` is where common grams are taken to be."""
    merged: list[int] = []
    zones = 0
    for places, here in found:
        merged += places
        zones |= here
    merged.sort()
    return Gathered(merged, zones | everywhere if len(merged) > _COMMON else zones)


def are_worth_it(gathered: Mapping[str, Gathered]) -> bool:
    """Whether these items should be a pack."""
    count = sum(len(places) for places, _ in gathered.values())
    return count > 0 and count >= _WORTH_IT * len(gathered)


def pack_of(gathered: Mapping[str, Gathered], count: int) -> "Pack":
    """The pack of these items, `count` of them, as it is written if their ids have no gaps."""
    kind = kind_of(count - 1)
    written = [(gram, _to_bytes(kind, it.places)) for gram, it in sorted(gathered.items())]
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
            yield gram, _to_bytes(kind, list(there))


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


def _to_bytes(kind: str, places: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(places)}{kind}", *places)


def places_from_bytes(kind: str, data: bytes) -> "array[int]":
    places: array[int] = array(kind)
    places.frombytes(data)
    if sys.byteorder == "big":
        places.byteswap()
    return places
