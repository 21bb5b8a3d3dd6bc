"""Many ids in a form in which a database can tell in no time whether one is among them.

Looking up a row takes as long as passing by some ten entries of an index. So where many ids are
known and the first of them in an order are wanted, it is quicker to walk that order's index.
"""

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    LargeBinary,
    and_,
    case,
    cast,
    func,
    literal,
)

_WIDEST: Final = 1 << 22
"""Half a megabyte, of bits."""
_DIGITS: Final = bytes((ord("0"), ord("1"))).ljust(256)


class Marks:
    """Ids that are not too far from each other."""

    def __init__(self, places: Mapping[int, Collection[int]], last: int) -> None:
        """`places` are in packs, each by the id of its first item; `last` is the last id of all."""
        self.count = sum(map(len, places.values()))
        self._first = min(places)
        self._flags = flags = bytearray(last + 1 - self._first)
        for first, there in places.items():
            begin = first - self._first
            for place in there:
                flags[begin + place] = 1

    @staticmethod
    def can_span(first: int, last: int) -> bool:
        """Whether ids from one to the other take no more than some megabytes."""
        return last - first < _WIDEST

    def on_sqlite(self, item_id: ColumnElement[int]) -> ColumnElement[bool]:
        """For WHERE: whether it is one of them."""
        flags = literal(bytes(self._flags), LargeBinary)
        is_marked = func.substr(flags, item_id - self._first + 1, 1) == literal(b"\1", LargeBinary)
        # Before the first one is the end, for it.
        return and_(item_id >= self._first, is_marked)

    def on_postgresql(self, item_id: ColumnElement[int]) -> ColumnElement[bool]:
        """The same there."""
        bits = literal(self._bits(), LargeBinary)
        place = cast(item_id - self._first, BigInteger)
        last = self._first + len(self._flags) - 1
        return case(  # which asks for no bit that is not there; AND might
            (item_id.between(self._first, last), func.get_bit(bits, place, type_=Integer) == 1),
            else_=False,
        )

    def _bits(self) -> bytes:
        """Eight to a byte, the lowest first. Python reads digits faster than it sets bits."""
        digits = self._flags.translate(_DIGITS)
        digits.reverse()
        return int(digits, 2).to_bytes(-(-len(digits) // 8), "little")
