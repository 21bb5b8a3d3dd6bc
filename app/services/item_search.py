"""Finding items by parts of words, through the text index of either database.

The index knows the grams of a text (see `app.lib.search_grams`) and whose item of which status it
is. It is not told where a gram stands: that all grams of a word are in a text does not yet say that
the word is, so longer words are looked for in `search_grams` itself.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Self

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    cast,
    column,
    func,
    literal,
    select,
    table,
)
from sqlalchemy import or_ as any_of
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY

from app.lib.search_grams import GRAM, needle, query_grams
from app.models.item import STATUSES
from app.services.item_marks import Marks
from app.services.item_order import ITEMS, ItemOrder, Statement

Columns = Sequence[ColumnElement[Any]]

_MATCH: Final = [
    column(name, ITEMS.c[name].type) for name in ("id", "updated_at", "title_key", "due_key")
]
_FTS: Final = table("item_search", column("rowid"), column("item_search"))


class ItemSearch:
    """The items in whose title or description all words occur."""

    def __init__(self, words: Sequence[str], order: ItemOrder) -> None:
        """`words`: see `app.lib.search_grams.query_words`."""
        self.words = words
        self.order = order
        self._is_sqlite = order.dialect == "sqlite"

    def along(self, order: ItemOrder) -> Self:
        """The same search in another order, or another part of it."""
        return type(self)(self.words, order)

    @property
    def streams(self) -> bool:
        """Whether the index gives matches in the list's order, so that nothing else is needed.

        SQLite's is sorted by id; PostgreSQL's has no order.
        """
        return self._is_sqlite and self.order.is_by_id

    def walked(self, names: Iterable[str], wanted: int, examined: int) -> Statement:
        """The first `wanted` matches among the list's next `examined` items, in order."""
        walk = self.order.walk([*names, "search_grams"], examined).subquery()
        columns = [column for column in walk.c if column.name != "search_grams"]
        # Not sorted again: both databases pass the rows on as they come, and stop at the last
        # that is wanted; SQLite would gather all of them first.
        return select(*columns).where(*self._contain(walk.c.search_grams)).limit(wanted)

    def marked(self, marks: Marks, wanted: int, examined: int) -> Statement:
        """Ids and keys of the first `wanted` with marks among the list's next `examined` items."""
        walk = self.order.walk([], examined).subquery()
        is_marked = marks.on_sqlite if self._is_sqlite else marks.on_postgresql
        return select(walk).where(is_marked(walk.c.id)).limit(wanted)

    def ids(self, most: int) -> Select[int]:
        """At most so many ids that the index of SQLite gives, from anywhere in the list."""
        query = self._expression('"{}"', '"{}" *', " AND ")
        return select(_FTS.c.rowid).where(_FTS.c.item_search.op("MATCH")(query)).limit(most)

    def among(self, ids: Sequence[int], names: Iterable[str], wanted: int) -> Statement:
        """The first `wanted` matches, in order, if they are all among these ids."""
        return self._rows_of(self._among(ids, wanted, are_packed=False), names)

    def packed(self, ids: Sequence[int], names: Iterable[str], wanted: int) -> Statement:
        """The same, if they are all packed: see `app.services.item_packs`."""
        return self._rows_of(self._among(ids, wanted, are_packed=True), names)

    def _among(self, ids: Sequence[int], wanted: int, *, are_packed: bool) -> Statement:
        if self._is_sqlite:
            given = func.json_each(json.dumps(ids)).table_valued("value")
        else:
            values = func.unnest(cast(ids, ARRAY(BigInteger)))
            given = values.table_valued(column("value", BigInteger)).render_derived()
        names = ("owner_id", "status", "deleted_at", "is_packed", "search_grams")
        # All that the ids give, and nothing else, is looked up: without OFFSET PostgreSQL would
        # guess how few rows all the conditions leave, and read some index from end to end for them.
        rows = (
            select(*self.order.columns(names))
            .join_from(given, ITEMS, ITEMS.c.id == given.c.value)
            .offset(0)
            .subquery()
        )
        conditions = [
            rows.c.owner_id == self.order.owner_id,
            rows.c.deleted_at.is_(None),
            *([rows.c.status == self.order.status] if self.order.status else []),
            *([rows.c.is_packed] if are_packed else []),
            *self.order.behind_start(rows.c.sort_key, rows.c.id),
            *self._contain(rows.c.search_grams),
        ]
        matches = select(rows.c.id, rows.c.sort_key).where(*conditions)
        return self.order.sorted_by(matches, rows.c.sort_key, rows.c.id).limit(wanted)

    def indexed(self, names: Iterable[str], wanted: int) -> Statement:
        """The first `wanted` matches, in order, by the text index alone."""
        if not self._is_sqlite:
            return self._from_gin(names, wanted)
        columns = self.order.columns([*names, "owner_id", "search_grams"])
        found = {column.name: column for column in columns}
        return self._finish(self._from_fts(columns), found, wanted)

    def _finish(
        self, matches: Statement, found: Mapping[str, ColumnElement[Any]], wanted: int
    ) -> Statement:
        key, item_id = found["sort_key"], _FTS.c.rowid if self.streams else found["id"]
        if not self.streams:
            matches = self.order.sorted_by(matches, key, item_id)
        return matches.where(
            found["owner_id"] + 0 == self.order.owner_id,
            *self.order.behind_start(key, item_id),
            *self._contain(found["search_grams"], GRAM),
        ).limit(wanted)

    def _from_fts(self, columns: Columns) -> Statement:
        id_ = _FTS.c.rowid
        query = self._expression('"{}"', '"{}" *', " AND ")
        order = id_.desc() if self.order.descending else id_.asc()
        ids = select(id_.label("id")).where(_FTS.c.item_search.op("MATCH")(query)).order_by(order)
        if self.streams:
            # "+ 0": items are looked up for matches, and not matches for items.
            return ids.join_from(_FTS, ITEMS, ITEMS.c.id == id_ + 0).with_only_columns(*columns)
        # Many orders are nearly that of the ids, and sorting is quick where the first come first.
        # Without a limit SQLite would drop the order.
        found = ids.limit(-1).subquery()
        return select(*columns).join_from(found, ITEMS, ITEMS.c.id == found.c.id + 0)

    def _from_gin(self, names: Iterable[str], wanted: int) -> Statement:
        query = cast(literal(self._expression("'{}'", "'{}':*", " & ")), TSQUERY)
        longer = [needle(word) for word in self.words if len(word) > GRAM]
        matches = func.item_matches(query, cast(longer, ARRAY(Text))).table_valued(*_MATCH)
        key: ColumnElement[Any] = (
            matches.c.id if self.order.is_by_id else matches.c[self.order.key_name]
        )
        if self.order.sort == "title":
            key = key.collate("C")
        # Sorted before their rows are looked up: few of them are wanted.
        first = self.order.sorted_by(select(matches.c.id, key.label("sort_key")), key, matches.c.id)
        first = first.where(*self.order.behind_start(key, matches.c.id)).limit(wanted)
        return self._rows_of(first, names)

    def _rows_of(self, first: Statement, names: Iterable[str]) -> Statement:
        """The rows whose ids and keys `first` gives."""
        found = first.subquery()
        rows = select(*self.order.columns(names)).join_from(found, ITEMS, ITEMS.c.id == found.c.id)
        return self.order.sorted_by(rows, found.c.sort_key, found.c.id)

    def _expression(self, whole: str, prefix: str, joint: str) -> str:
        """What the index is asked for. Grams hold neither quotes nor anything else that counts."""
        grams = {gram for word in self.words for gram in query_grams(word)}
        terms = [(whole if len(gram) == GRAM else prefix).format(gram) for gram in sorted(grams)]
        # Full-width letters do not survive normalisation, so that no text can look like this.
        scope = f"ｏ{self.order.owner_id}"
        if self.order.status:
            scope += f"ｓ{STATUSES.index(self.order.status)}"
        return joint.join([*terms, whole.format(scope)])

    def _contain(self, text: ColumnElement[str], longer_than: int = 0) -> list[ColumnElement[bool]]:
        """For WHERE: the stored `text` has all words that are longer than so many characters."""
        find = func.instr if self._is_sqlite else func.strpos
        return [
            any_of(*(find(text, part) > 0 for part in dict.fromkeys((word, needle(word)))))
            for word in self.words
            if len(word) > longer_than
        ]
