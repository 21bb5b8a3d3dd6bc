"""Finding items by parts of words, through the text index of either database.

The index knows the grams of a text (see `app.lib.search_grams`) and whose item of which status it
is. It is not told where a gram stands: that all grams of a word are in a text does not yet say that
the word is, so longer words are looked for in `search_grams` itself.
"""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import ColumnElement, cast, column, func, literal, select, table, true
from sqlalchemy.dialects.postgresql import TSQUERY

from app.lib.search_grams import GRAM, needle, query_grams, query_words
from app.models.item import STATUSES
from app.services.item_order import ITEMS, ItemOrder, Statement

_FTS: Final = table("item_search", column("rowid"), column("item_search"))


class ItemSearch:
    """The items in whose title or description all words of a query occur."""

    def __init__(self, query: str, order: ItemOrder) -> None:
        self.words = query_words(query)
        self._order = order
        self._is_sqlite = order.dialect == "sqlite"

    @property
    def streams(self) -> bool:
        """Whether the index gives matches in the list's order, so that it alone is enough.

        SQLite's is sorted by id; PostgreSQL's has no order.
        """
        return self._is_sqlite and self._order.sort == "created"

    def streamed(self, wanted: int) -> Statement:
        """Ids of the first `wanted` matches, in order."""
        found = self._candidates()
        grams = select(ITEMS.c.search_grams).where(ITEMS.c.id == _FTS.c.rowid).scalar_subquery()
        found = found.where(
            *self._order.behind_start(_FTS.c.rowid, _FTS.c.rowid), *self._contain(grams, GRAM)
        )
        direction = _FTS.c.rowid.desc() if self._order.descending else _FTS.c.rowid.asc()
        return found.order_by(direction).limit(wanted)

    def walked(self, names: Iterable[str], wanted: int, examined: int) -> Statement:
        """The first `wanted` matches among the list's next `examined` items, in order."""
        walk = self._order.walk([*names, "search_grams"], examined).subquery()
        # Not sorted again: both databases pass the rows on as they come, and stop at the last
        # that is wanted; SQLite would gather all of them first.
        columns = [column for column in walk.c if column.name != "search_grams"]
        return select(*columns).where(*self._contain(walk.c.search_grams)).limit(wanted)

    def indexed(self, wanted: int, most: int) -> Statement:
        """Statement (candidates, id): the ids of the first `wanted` matches, in order.

        `candidates` is how many items the index came up with, counted up to `most` + 1; with more
        than `most` the ids mean nothing. Where nothing matches there is one row with no id.
        """
        candidates = self._candidates().limit(most + 1)
        columns = self._order.columns(["owner_id", "search_grams"])
        if self._is_sqlite:
            rows = select(*columns).where(ITEMS.c.id.in_(candidates)).cte()
        else:
            rows = candidates.with_only_columns(*columns).cte()
        count = select(func.count().label("candidates")).select_from(rows).subquery()
        matches = select(rows.c.id, rows.c.sort_key).where(
            rows.c.owner_id == self._order.owner_id,
            *self._order.behind_start(rows.c.sort_key, rows.c.id),
            *self._contain(rows.c.search_grams, GRAM),
        )
        first = self._order.in_order(matches, rows).limit(wanted).subquery()
        statement = select(count.c.candidates, first.c.id)
        return self._order.in_order(statement.outerjoin_from(count, first, true()), first)

    def _candidates(self) -> Statement:
        """Ids of the items that the index takes for matches, in its own order."""
        if self._is_sqlite:
            return select(_FTS.c.rowid.label("id")).where(
                _FTS.c.item_search.op("MATCH")(self._expression('"{}"', '"{}" *', " AND "))
            )
        vector = func.item_search_vector(ITEMS.c.owner_id, ITEMS.c.status, ITEMS.c.search_grams)
        query = cast(literal(self._expression("'{}'", "'{}':*", " & ")), TSQUERY)
        return select(ITEMS.c.id).where(ITEMS.c.deleted_at.is_(None), vector.op("@@")(query))

    def _expression(self, whole: str, prefix: str, joint: str) -> str:
        """What the index is asked for. Grams hold neither quotes nor anything else that counts."""
        grams = {gram for word in self.words for gram in query_grams(word)}
        terms = [(whole if len(gram) == GRAM else prefix).format(gram) for gram in sorted(grams)]
        # Full-width letters do not survive normalisation, so that no text can look like this.
        scope = f"ｏ{self._order.owner_id}"
        if self._order.status:
            scope += f"ｓ{STATUSES.index(self._order.status)}"
        return joint.join([*terms, whole.format(scope)])

    def _contain(
        self, grams: ColumnElement[str], longer_than: int = 0
    ) -> list[ColumnElement[bool]]:
        """For WHERE: the text of `grams` has all words that are longer than so many characters."""
        find = func.instr if self._is_sqlite else func.strpos
        return [find(grams, needle(word)) > 0 for word in self.words if len(word) > longer_than]
