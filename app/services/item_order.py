"""The orders that a list of items can have, and walking along them from a place in the list.

The indexes begin with owner and status, and then follow one order each. So a list of all statuses
is three lists of one status, merged: half the indexes to keep up to date at each write. Each part
of a merge must be a range of an index that is read in order, and only as far as it is needed; what
the two databases need to see that is different.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from heapq import merge
from itertools import islice
from typing import Any, Final, Literal, Self

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    column,
    false,
    literal,
    select,
    table,
    tuple_,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.models.item import STATUSES, Item, Status
from app.schemas.cursor import NO_DUE_DATE, Cursor, Direction, Key, Sort, status_key
from app.services.item_zones import Order, Where, next_place

Statement = Select[*tuple[Any, ...]]
Found = Sequence[Row[*tuple[Any, ...]]]
Dialect = Literal["sqlite", "postgresql"]

ITEMS: Final = table("items", *(column(each.name, each.type) for each in Item.__table__.c))
_KEYS: Final[dict[Sort, str]] = {
    "created": "id",
    "updated": "updated_at",
    "title": "title_key",
    "status": "status",
    "due": "due_key",
}


def dialect_of(bound: AsyncSession | Database) -> Dialect:
    """Which of the two databases it is."""
    engine = bound.engine if isinstance(bound, Database) else bound.get_bind()
    return "sqlite" if engine.dialect.name == "sqlite" else "postgresql"


@dataclass(frozen=True, slots=True)
class ItemOrder:
    """One user's items, of one status or all, in one order, from `start` (excluded) on."""

    dialect: Dialect
    owner_id: int
    status: Status | None
    sort: Sort
    descending: bool
    start: Cursor | None = None

    def columns(self, names: Iterable[str]) -> list[ColumnElement[Any]]:
        """Columns of `items`, with those that it is sorted by: `id` and `sort_key`."""
        named = [ITEMS.c[name] for name in dict.fromkeys(["id", *names])]
        return [*named, self._key.label("sort_key")]

    def walk(self, names: Iterable[str], limit: int, offset: int = 0) -> Statement:
        """`columns` of the first `limit` items behind `offset` others, read from the indexes."""
        columns = self.columns(names)
        parts = [
            self._part(
                select(*columns).where(
                    ITEMS.c.owner_id == self.owner_id, ITEMS.c.deleted_at.is_(None), *conditions
                ),
                limit + offset,
            )
            for conditions in self._ranges()
        ]
        merged = union_all(*parts).subquery()
        return (
            self.sorted_by(select(merged), merged.c.sort_key, merged.c.id)
            .limit(limit)
            .offset(offset)
        )

    def sorted_by(
        self, statement: Statement, key: ColumnElement[Any], item_id: ColumnElement[int]
    ) -> Statement:
        """`statement`, sorted by what are `sort_key` and `id` there."""
        keys = [item_id] if self.is_by_id else [key, item_id]
        return statement.order_by(*(k.desc() if self.descending else k.asc() for k in keys))

    @property
    def is_by_id(self) -> bool:
        """Whether nothing but the id decides."""
        return self.sort == "created" or (self.sort == "status" and self.status is not None)

    @property
    def behind_id(self) -> int | None:
        """The id behind which all of it is, where nothing else decides."""
        if self.start is None or not self.is_by_id:
            return None
        return self.start.item_id if self.start.key in (None, self.status) else None

    def left_of(self, ids: Sequence[int]) -> Sequence[int]:
        """Those of sorted `ids` that may be behind `start`, where nothing but the id decides."""
        start = self.behind_id
        if start is None:
            return ids
        return [item_id for item_id in ids if (item_id < start) == self.descending]

    def of_each_status(self) -> list[Self]:
        """What is behind `start` of this list, which is sorted by status, as one list a status."""
        statuses = reversed(STATUSES) if self.descending else STATUSES
        return [
            replace(
                self,
                status=status,
                start=self.start if self.start and self.start.key == status else None,
            )
            for status in statuses
            if self._reaches(status)
        ]

    @property
    def zoned_by(self) -> Order:
        """Whose zones are those of this order, of one status at least."""
        return "created" if self.sort == "status" else self.sort

    def behind(self, key: Key, item_id: int) -> Self:
        """What is left of this order behind a place, with the `sort_key` and `id` of that."""
        if self.is_by_id:
            key = self.status if self.sort == "status" else None
        direction: Direction = "desc" if self.descending else "asc"
        return replace(self, start=Cursor(self.sort, direction, key, item_id))

    def in_zones(self, where: Where, key: Key, item_id: int) -> Self | None:
        """What is left of it behind a place, from the first zone of `where` on; none if none is."""
        place = key, item_id
        if key == NO_DUE_DATE:
            # All these are in one zone, perhaps a third of the list, and there sorted by id.
            undated = next_place("created", where.created, (None, item_id), self.descending)
            if undated:
                return self.behind(key, undated[1])
            if not self.descending:
                return None
            place = key, 0
        ahead = next_place(self.zoned_by, where.of(self.zoned_by), place, self.descending)
        return self.behind(*ahead) if ahead else None

    def behind_start(
        self, key: ColumnElement[Any], item_id: ColumnElement[int]
    ) -> list[ColumnElement[bool]]:
        """For WHERE: the items behind `start`."""
        if self.start is None:
            return []
        if self.status and not self._reaches(self.status):
            return [false()]
        if self.sort == "status" and self.status and self.status != self.start.key:
            return []
        if self.is_by_id:
            return [self._behind(item_id, literal(self.start.item_id))]
        start = tuple_(literal(self.start.key, key.type), literal(self.start.item_id))
        return [self._behind(tuple_(key, item_id), start)]

    def merged(self, found: Found, others: Found, wanted: int) -> Found:
        """The first `wanted` of two parts of this list, each with `columns` and sorted by them."""

        def place(row: Row[*tuple[Any, ...]]) -> tuple[Any, ...]:
            return (row.id,) if self.is_by_id else (row.sort_key, row.id)

        return list(islice(merge(found, others, key=place, reverse=self.descending), wanted))

    @property
    def key_name(self) -> str:
        """The column that is sorted by, before the id."""
        return _KEYS[self.sort]

    @property
    def _key(self) -> ColumnElement[Any]:
        return ITEMS.c[self.key_name]

    def _ranges(self) -> list[list[ColumnElement[bool]]]:
        if self.dialect == "postgresql" and self.sort == "status" and self.status is None:
            return [self.behind_start(self._key, ITEMS.c.id)]
        return [
            [ITEMS.c.status == status, *conditions]
            for status in ([self.status] if self.status else filter(self._reaches, STATUSES))
            for conditions in replace(self, status=status)._ranges_of_status()
        ]

    def _reaches(self, status: Status) -> bool:
        """Whether items of `status` can be behind `start`."""
        if self.start is None or self.sort != "status":
            return True
        place, start = STATUSES.index(status), STATUSES.index(status_key(self.start))
        return place <= start if self.descending else place >= start

    def _ranges_of_status(self) -> list[list[ColumnElement[bool]]]:
        if self.start is None or self.is_by_id or self.dialect == "postgresql":
            return [self.behind_start(self._key, ITEMS.c.id)]
        # SQLite would look at the key alone in a pair of key and id, and read all items of the same
        # key: a third of the list may have no due date.
        start = literal(self.start.key, self._key.type)
        behind_id = self._behind(ITEMS.c.id, literal(self.start.item_id))
        return [[self._key == start, behind_id], [self._behind(self._key, start)]]

    def _part(self, part: Statement, limit: int) -> Statement:
        if self.dialect == "sqlite":
            # A part with an order of its own would be read to its end first.
            return part
        # A part without an order and an end would be, too.
        ordered = self.sorted_by(part, self._key, ITEMS.c.id).limit(limit)
        return select(ordered.subquery())

    def _behind(self, place: ColumnElement[Any], start: ColumnElement[Any]) -> ColumnElement[bool]:
        return place < start if self.descending else place > start
