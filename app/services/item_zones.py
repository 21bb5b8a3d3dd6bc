"""Which parts of a list a word can be in, so that a search need not read the others.

Each order is cut into zones: 16,384 ids, a week of changes or of due dates, a title's first letter.
For each gram of a user's items one row has a bit for each zone in which an item with it has ever
been. Zones of ids and weeks go on for ever and share bits, 62 zones apart. So a bit may be set for
nothing, which only costs time; it is never missing. The bits of common grams are soon all there: a
new item changes few rows or none.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from functools import lru_cache, reduce
from itertools import islice
from operator import and_
from typing import Any, Final, Literal, NamedTuple, get_args

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    SQLColumnExpression,
    cast,
    literal,
    literal_column,
    select,
    union_all,
)
from sqlalchemy import or_ as any_of
from sqlalchemy.ext.asyncio import AsyncSession

from app.lib.search_grams import GRAM, query_grams, stored_grams
from app.models.gram_zones import GramZones
from app.models.item import Item
from app.schemas.cursor import Key

Order = Literal["created", "updated", "title", "due"]
ORDERS: Final[tuple[Order, ...]] = get_args(Order)

ZONES: Final = 62
"""As many bits as a signed integer of 64 bits has, but one; and enough for an alphabet or two."""
ALL: Final = (1 << ZONES) - 1

_IDS: Final = 16_384
_DAYS: Final = 7
# Each of these begins a zone: Latin letters, the rows of kana, twelve pieces of the kanji.
_TITLES: Final = (
    *("0", "5", *"abcdefghijklmnopqrstuvwxyz", "{"),
    *"ぁかさたなはまやらんァカサタナハマヤラー",
    *(chr(code) for code in range(0x4E00, 0xA000, 0x700)),
)
_MOST_GRAMS: Final = 3000
"""A beginning of more grams than that is taken to be everywhere."""
_FEW: Final = 16
_GRAMS_AT_ONCE: Final = 20_000
"""Some MB of what is sent."""

Zones = int
"""The bits of all orders, one order behind the other: quick to gather for many items."""


Place = tuple[Key, int]
"""A key and an id; what is read from there on is behind it."""


def zone_of(order: Order, key: Key, item_id: int) -> int:
    """The zone of a place in a list; it grows along the order."""
    if order == "created" or key is None:
        return item_id // _IDS
    if isinstance(key, str):
        return bisect_right(_TITLES, key)
    day = key.astimezone(UTC).date() if isinstance(key, datetime) else key
    return day.toordinal() // _DAYS


def next_place(order: Order, zones: int, place: Place, descending: bool) -> Place | None:  # noqa: FBT001 # directions are told apart by it everywhere
    """From where to read on behind `place` to see only what is in `zones`; none: there is none."""
    here = zone_of(order, *place)
    step = -1 if descending else 1
    for zone in range(here, here + ZONES * step, step):
        if zone < 0 or (order == "title" and zone >= ZONES):
            break
        if zones >> zone % ZONES & 1:
            return place if zone == here else _before(order, zone + descending)
    return None


def _before(order: Order, zone: int) -> Place:
    """The last place before a zone."""
    if order == "created":
        return None, zone * _IDS
    if order == "title":
        return _TITLES[zone - 1], 0
    day = date.fromordinal(zone * _DAYS)
    return (datetime.combine(day, time(), UTC) if order == "updated" else day), 0


def zones_of_ids(first: int, last: int) -> Zones:
    """The zones of items with these ids, and all between."""
    zones = 0
    for zone in range(first // _IDS, last // _IDS + 1):
        zones |= 1 << zone % ZONES
    return zones


def in_zones(
    zones: int, first: SQLColumnExpression[int], last: SQLColumnExpression[int]
) -> ColumnElement[bool]:
    """For WHERE: whether ids between these, both included, are in some of `zones`."""

    def zone(item_id: SQLColumnExpression[int]) -> ColumnElement[int]:
        return item_id.op("/", return_type=BigInteger())(literal_column(str(_IDS)))

    def is_set(zone: ColumnElement[int]) -> ColumnElement[bool]:
        place = cast(zone.op("%")(literal_column(str(ZONES))), Integer)
        return literal(zones, BigInteger).op(">>")(place).op("&")(literal_column("1")) == 1

    return any_of(is_set(zone(first)), is_set(zone(last)), zone(last) - zone(first) > 1)


def zones_of_keys(updated_at: datetime, title_key: str, due_key: date) -> Zones:
    """The zones of an item in all orders but that of ids."""
    return zones_of_dates(updated_at, due_key) | zones_of_title(title_key)


def zones_of_dates(updated_at: datetime, due_key: date) -> Zones:
    updated = zone_of("updated", updated_at, 0) % ZONES
    due = zone_of("due", due_key, 0) % ZONES
    return 1 << ZONES + updated | 1 << 3 * ZONES + due


def zones_of_title(title_key: str) -> Zones:
    return _zones_of_letter(title_key[:1])


@lru_cache(maxsize=4096)
def _zones_of_letter(first: str) -> Zones:
    return 1 << 2 * ZONES + zone_of("title", first, 0)


class GatheredZones:
    """The zones of all grams of some items of one user, to be stored at once."""

    def __init__(self, owner_id: int, zones: Mapping[str, Zones] | None = None) -> None:
        self._owner_id = owner_id
        self._zones: dict[str, Zones] = dict(zones or {})

    def __len__(self) -> int:
        """The number of grams."""
        return len(self._zones)

    def add(self, grams: Iterable[str], zones: Zones) -> None:
        """Note grams in `zones`."""
        known = self._zones
        for gram in grams:
            known[gram] = known.get(gram, 0) | zones

    def add_everywhere(self, zones: Zones) -> None:
        """Note all grams that are known by now in `zones`, too."""
        self.add(list(self._zones), zones)

    async def store(self, session: AsyncSession, stored: "StoredZones | None" = None) -> None:
        """Set the bits that are missing; rows that have them all are not touched, nor locked."""
        connection, left = await session.connection(), self._rows(stored)
        while rows := list(islice(left, _GRAMS_AT_ONCE)):
            if connection.dialect.name == "sqlite":
                await connection.exec_driver_sql(_STORE_ON_SQLITE, rows)
            else:
                _, *columns = zip(*rows, strict=True)
                values = (self._owner_id, *(" ".join(map(str, column)) for column in columns))
                await connection.exec_driver_sql(_STORE_ON_POSTGRESQL, values)

    def _rows(self, stored: "StoredZones | None") -> Iterator[tuple[Any, ...]]:
        """Sorted: two who write the same rows shall not wait for each other."""
        shifts = [place * ZONES for place in range(len(ORDERS))]
        new = self._zones.items() if stored is None else stored.missing(self._zones)
        for gram, zones in sorted(new):
            yield self._owner_id, gram, *(zones >> shift & ALL for shift in shifts)

    def note(self, stored: "StoredZones") -> None:
        """These are committed."""
        stored.add(self._zones)


class StoredZones:
    """Some of the zones that are stored of one user's items, so as not to send them again.

    Nothing takes a bit away again while the user is there.
    """

    _MOST: Final = 100_000
    """Grams: some 15 MB."""

    def __init__(self) -> None:
        self._zones: dict[str, Zones] = {}

    def missing(self, new: Mapping[str, Zones]) -> list[tuple[str, Zones]]:
        """Those of `new` that have bits which these have not."""
        known = self._zones
        return [(gram, zones) for gram, zones in new.items() if zones & ~known.get(gram, 0)]

    def add(self, new: Mapping[str, Zones]) -> None:
        """Note what is committed."""
        known = self._zones
        if len(known) > self._MOST:
            known.clear()
        for gram, zones in new.items():
            known[gram] = known.get(gram, 0) | zones


async def note_items(session: AsyncSession, owner_id: int, item_ids: Collection[int]) -> None:
    """Have the zones of these items, as they are now, among those of their grams."""
    if not item_ids:
        return
    found = await session.execute(
        select(*(Item.id, Item.updated_at, Item.title_key, Item.due_key, Item.search_grams)).where(
            Item.id.in_(item_ids), Item.owner_id + 0 == owner_id
        )
    )
    gathered = GatheredZones(owner_id)
    for item_id, updated_at, title_key, due_key, text in found:
        zones = zones_of_keys(updated_at, title_key, due_key)
        gathered.add(stored_grams(text), zones_of_ids(item_id, item_id) | zones)
    await gathered.store(session)


class Where(NamedTuple):
    """The zones that a search has to look at, in each order."""

    created: int
    updated: int
    title: int
    due: int

    def of(self, order: Order) -> int:
        """The bits of one order. None is set: there is no match."""
        return self[ORDERS.index(order)]

    @property
    def are_few(self) -> bool:
        """Whether matches are in few zones, in whichever order: then they are few themselves."""
        return max(bits.bit_count() for bits in self) <= _FEW

    def __and__(self, other: "Where") -> "Where":
        return Where(*map(and_, self, other))


async def zones_with(session: AsyncSession, owner_id: int, words: Sequence[str]) -> Where:
    """The zones that have all grams of these words."""
    asked = {gram for word in words for gram in query_grams(word)}
    columns = [getattr(GramZones, order) for order in ORDERS]
    mine = GramZones.owner_id == owner_id
    whole = select(GramZones.gram.label("gram"), *columns).where(
        mine, GramZones.gram.in_([gram for gram in asked if len(gram) == GRAM])
    )
    beginnings = [
        select(literal(gram).label("gram"), *columns)
        .where(mine, GramZones.gram >= gram, GramZones.gram < gram + chr(0x10FFFF))
        .limit(_MOST_GRAMS)
        .subquery()
        for gram in sorted(asked)
        if len(gram) < GRAM
    ]
    # Some thousand rows, where a word is one character: of each gram the bits, and how many rows.
    found = {gram: [0, 0, 0, 0, 0] for gram in asked}
    for gram, created, updated, title, due in await session.execute(
        union_all(whole, *(select(part) for part in beginnings))
    ):
        here = found[gram]
        here[0] |= created
        here[1] |= updated
        here[2] |= title
        here[3] |= due
        here[4] += 1
    known = (Where(*bits) for *bits, rows in found.values() if rows < _MOST_GRAMS)
    return reduce(and_, known, Where(ALL, ALL, ALL, ALL))


_COLUMNS: Final = ("owner_id", "gram", *ORDERS)
_INSERT: Final = f"INSERT INTO item_gram_zones ({', '.join(_COLUMNS)})"
_SET: Final = ", ".join(f"{order} = item_gram_zones.{order} | excluded.{order}" for order in ORDERS)
_UPDATE: Final = f"ON CONFLICT (owner_id, gram) DO UPDATE SET {_SET}"


def _missing(new: str) -> str:
    """Whether the row `new` has bits that the stored one has not."""
    return " OR ".join(f"{new}.{order} & ~item_gram_zones.{order} <> 0" for order in ORDERS)


# All of them are made of constants.
_STORE_ON_SQLITE: Final = (
    f"{_INSERT} VALUES ({', '.join('?' * len(_COLUMNS))}) {_UPDATE} WHERE {_missing('excluded')}"
)
# What is asked first leaves ON CONFLICT, which locks each row that it meets, those that change.
# A column is one text, which the server cuts up: a driver takes longer over lists of thousands.
_BITS: Final = "string_to_array(%s, ' ')::bigint[]"
_STORE_ON_POSTGRESQL: Final = f"""
    {_INSERT} SELECT new.* FROM (
        SELECT %s::bigint, part.* FROM unnest(
            string_to_array(%s, ' '), {", ".join([_BITS] * len(ORDERS))}
        ) AS part
    ) AS new ({", ".join(_COLUMNS)})
    LEFT JOIN item_gram_zones
        ON item_gram_zones.owner_id = new.owner_id AND item_gram_zones.gram = new.gram COLLATE "C"
    WHERE item_gram_zones.gram IS NULL OR {_missing("new")}
    ORDER BY new.gram COLLATE "C" {_UPDATE}
"""  # noqa: S608
