"""Items that come together are a pack, with postings: for each gram, which of them have it.

The text indexes of the databases keep a place for each gram of each item, which takes most of the
time that a new item takes. Of thousands of items that are inserted at once, many have the same
grams; so postings are few rows, which are written once and never changed. A pack's items say so
themselves (`is_packed`), and the text index leaves them out. An item whose text changes leaves its
pack for the text index: what postings say counts for items only that are still packed.
"""

from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    LargeBinary,
    Select,
    and_,
    delete,
    exists,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from app.lib.search_grams import GRAM, query_grams
from app.models.item import Item
from app.models.item_pack import ItemPack, ItemPosting
from app.services.item_marks import Marks
from app.services.item_postings import kind_of, places_from_bytes
from app.services.item_zones import ALL, Where, in_zones

_PACKS_AT_ONCE: Final = 64
"""At most. Where matches may be many it is one at first, which may do."""
_GROWTH: Final = 4
_FEW_A_PACK: Final = 25
"""To look up so many rows takes no longer than to read what a pack has of a word's beginning."""
_SEARCH: Final = 20
"""Looking one place up takes as long as reading so many."""
_MET_SOON: Final = 150
"""If one of so many items matches."""
_RARE: Final = 300
# What the rows of a list cost that are read, and of packs each item, place and match, in ns.
_ROW, _ITEM, _PLACE, _MATCH = 2500, 6, 35, 150
_TELLING: Final = 2 * 16_384
"""Fewer items could all be at the edge of a zone, where the matches do not begin yet."""

Places = dict[int, Collection[int]]
"""By pack, which it is by the id of its first item, some places in it, perhaps twice."""


class PackSearch:
    """The items that one user's packs give for some words, pack by pack.

    They have all grams of the words, or all whole ones if these are few. Whether they are in the
    list, and still packed, and whether the grams are in a row, only their rows tell.
    """

    def __init__(
        self,
        session: AsyncSession,
        owner_id: int,
        words: Collection[str],
        where: Where,
        *,
        descending: bool,
        behind: int | None = None,
    ) -> None:
        """`where`: see `app.services.item_zones.zones_with`; `behind` is an id."""
        self._session = session
        self._owner_id = owner_id
        grams = sorted({gram for word in words for gram in query_grams(word)})
        self._whole = [gram for gram in grams if len(gram) == GRAM]
        self._beginnings = [gram for gram in grams if len(gram) < GRAM]
        self._asked_at_first = self._whole or self._beginnings
        self._where = where
        self._descending = descending
        self._behind = behind
        self._last_pack: int | None = None
        self._at_once = _PACKS_AT_ONCE if where.are_few else 1
        self._examined = 0
        self._batches: list[Places] = []
        self._end = 0
        self._count = 0
        self._places = 0
        self._is_over = False

    async def batches(self) -> AsyncIterator[list[int]]:
        """The ids of some packs after the other, in order. What has been read is read no more."""
        place = 0
        while place < len(self._batches) or await self._gather():
            yield self._ids(self._batches[place])
            place += 1

    async def ids(self) -> list[int]:
        """All of them."""
        self._at_once = _PACKS_AT_ONCE
        return [item_id async for batch in self.batches() for item_id in batch]

    async def marks(self, more_than: int) -> Marks | None:
        """All of them, too, if they are more than that, and not too far from each other."""
        self._at_once = _PACKS_AT_ONCE
        while await self._gather():
            pass
        places = {first: there for batch in self._batches for first, there in batch.items()}
        if self._count <= more_than or not Marks.can_span(min(places), self._end):
            return None
        return Marks(places, self._end)

    async def are_more_than(self, few: int) -> bool:
        """Whether they are, or so dense in the first packs that reading the list meets them."""
        while self._count <= few:
            if self._examined > few and self._count * _MET_SOON > self._examined:
                return True
            if not await self._gather():
                return False
        return True

    async def are_rare(self) -> bool:
        """Whether so few of the next items match that it is slower to meet them than to get all."""
        await self._sample()
        return self._count * _RARE < self._examined

    async def are_sooner_there(self, rows: int) -> bool:
        """Whether to get all takes less time than to read so many rows of the list.

        Where packs are too few to tell, it does not.
        """
        await self._sample()
        if self._is_over and self._count:
            return True
        if self._examined < _TELLING:
            return False
        each = _ITEM + (_PLACE * self._places + _MATCH * self._count) / self._examined
        mine = ItemPack.owner_id == self._owner_id
        items = select(func.sum(ItemPack.last_id + 1 - ItemPack.id)).where(mine)
        return each * float(await self._session.scalar(items) or 0) < _ROW * rows

    async def _sample(self) -> None:
        while self._examined < _TELLING and await self._gather():
            pass

    async def _gather(self) -> bool:
        """Read the next packs; whether there were some."""
        if self._is_over:
            return False
        asked = self._asked_at_first
        packs, found = await self._read(asked, self._next_packs())
        if len(packs) < self._at_once:
            self._is_over = True
        self._at_once = min(self._at_once * _GROWTH, _PACKS_AT_ONCE)
        if not packs:
            return False
        self._last_pack = min(packs) if self._descending else max(packs)
        self._examined += sum(last + 1 - first for first, last in packs.items())
        if asked is self._whole and self._beginnings:
            found = await self._narrowed(found, len(packs))
        self._end = max(self._end, *packs.values())
        self._batches.append(found)
        self._count += sum(map(len, found.values()))
        return True

    def _ids(self, found: Places) -> list[int]:
        ids = {first + place for first, places in found.items() for place in places}
        if self._behind is not None:
            ids = {item_id for item_id in ids if self._is_behind(item_id, self._behind)}
        return sorted(ids, reverse=self._descending)

    async def _narrowed(self, found: Places, packs: int) -> Places:
        """Those that have the beginnings, too, unless so many packs have few."""
        if sum(map(len, found.values())) <= _FEW_A_PACK * packs:
            return found
        self._asked_at_first = self._whole + self._beginnings
        these = select(ItemPack.id, ItemPack.last_id).where(ItemPack.id.in_(found))
        _, places = await self._read(self._beginnings, these)
        return {first: set(found[first]).intersection(there) for first, there in places.items()}

    async def _read(
        self, grams: Sequence[str], packs: Select[int, int]
    ) -> tuple[dict[int, int], Places]:
        """First and last id of some packs, and where in each are the items with these grams."""
        ends: dict[int, int] = {}
        found: defaultdict[int, dict[str, list[bytes]]] = defaultdict(dict)
        for gram, first, last, places in await self._session.execute(self._postings(grams, packs)):
            if places is None:
                ends[first] = last
            else:
                found[first].setdefault(gram, []).append(places)
        in_all: Places = {}
        for first, there in found.items():
            if len(there) == len(grams):
                arrays = _decoded(kind_of(ends[first] - first), there.values())
                self._places += sum(map(_total, arrays))
                in_all[first] = _in_all(arrays)
        return ends, in_all

    def _is_behind(self, item_id: Any, start: int) -> Any:
        return item_id < start if self._descending else item_id > start

    def _postings(
        self, grams: Sequence[str], packs: Select[int, int]
    ) -> CompoundSelect[str, int, int, bytes | None]:
        """What some packs have of the grams; and the packs themselves, without places."""
        pack = packs.cte("pack")
        whole = [gram for gram in grams if len(gram) == GRAM]
        asked: list[tuple[ColumnElement[str], ColumnElement[bool]]] = []
        if whole:
            asked.append((ItemPosting.gram.label("gram"), ItemPosting.gram.in_(whole)))
        for start in grams:
            if len(start) < GRAM:
                end = start + chr(0x10FFFF)
                begins = and_(ItemPosting.gram >= start, ItemPosting.gram < end)
                asked.append((literal(start).label("gram"), begins))
        no_places = null().cast(LargeBinary)
        return union_all(
            select(literal("").label("gram"), pack.c.id, pack.c.last_id, no_places),
            *(
                select(gram, pack.c.id, pack.c.last_id, ItemPosting.places)
                .join_from(pack, ItemPosting, ItemPosting.pack_id == pack.c.id)
                .where(ItemPosting.owner_id == self._owner_id, has)
                for gram, has in asked
            ),
        )

    def _next_packs(self) -> Select[int, int]:
        packs = select(ItemPack.id, ItemPack.last_id).where(ItemPack.owner_id == self._owner_id)
        if self._last_pack is not None:
            packs = packs.where(self._is_behind(ItemPack.id, self._last_pack))
        if self._behind is not None:
            end = ItemPack.id if self._descending else ItemPack.last_id
            packs = packs.where(self._is_behind(end, self._behind))
        if self._where.created != ALL:
            packs = packs.where(in_zones(self._where.created, ItemPack.id, ItemPack.last_id))
        order = ItemPack.id.desc() if self._descending else ItemPack.id
        return packs.order_by(order).limit(self._at_once)


def _decoded(kind: str, lists: Iterable[list[bytes]]) -> list[list["array[int]"]]:
    """The arrays of each list, the shortest list first.

    Where the grams of a word occur nowhere else, all have the same, which is there once.
    """
    different = {tuple(written): written for written in lists}.values()
    arrays = [[places_from_bytes(kind, places) for places in written] for written in different]
    return sorted(arrays, key=_total)


def _in_all(lists: Iterable[list["array[int]"]]) -> Collection[int]:
    """What is in one at least of the arrays of each list."""
    fewest, *others = lists
    if not others and len(fewest) == 1:
        return fewest[0]
    found = set[int]().union(*fewest)
    for arrays in others:
        if len(found) * len(arrays) * _SEARCH < _total(arrays):
            found = set[int]().union(*(_in_both(found, sorted_) for sorted_ in arrays))
        else:
            found.intersection_update(set[int]().union(*arrays) if len(arrays) > 1 else arrays[0])
    return found


def _total(arrays: list["array[int]"]) -> int:
    return sum(map(len, arrays))


def _in_both(places: Iterable[int], others: "array[int]") -> list[int]:
    """Some places that are among others, which are sorted."""
    end = len(others)
    return [
        place
        for place in places
        if (at := bisect_left(others, place)) < end and others[at] == place
    ]


def empty_packs(session: Session, owner_id: int | None = None) -> int:
    """Delete packs, of one user or all, whose items are all gone or elsewhere; how many."""
    is_there = exists().where(
        Item.id.between(ItemPack.id, ItemPack.last_id),
        Item.owner_id + 0 == ItemPack.owner_id,
        Item.is_packed,
    )
    packs = delete(ItemPack).where(~is_there).returning(ItemPack.id)
    if owner_id is not None:
        packs = packs.where(ItemPack.owner_id == owner_id)
    gone = session.scalars(packs, execution_options={"synchronize_session": False})
    return len(gone.all())
