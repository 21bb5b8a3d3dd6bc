"""What writers have been told, and whether it is true: the oracle of the fault tests.

Each writer takes down the number of each row after `log()` has returned, in a file of its own that
lies outside of everything that is hurt. Numbers rise by one, so that a file says all: rows up to
the last number were given to the logger, and those of one more append may have been.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.lib.tracelog.journal import reader
from app.lib.tracelog.journal.tally import Tally
from app.lib.tracelog.schema import API_LOGS, TABLES
from app.lib.tracelog.shipper.accounting import Account, Accountant
from app.lib.tracelog.shipper.quarantine import Quarantine
from app.lib.tracelog.store.store import Store

_API: Final = TABLES[API_LOGS]
_TAG: Final = re.compile(rb"/w/([\w-]+/\d+)")
_ENDPOINT: Final = _API.column_names.index("endpoint")


def tag_of(ledger: Path, number: int) -> str:
    """The endpoint of a writer's row, by which it is found again."""
    return f"/w/{ledger.stem}/{number}"


@dataclass(frozen=True, slots=True)
class Found:
    """Where the rows are: tags without `/w/`, with how often each is there."""

    journal: Counter[str]
    store: Counter[str]
    quarantine: Counter[str]

    @property
    def anywhere(self) -> set[str]:
        return {*self.journal, *self.store, *self.quarantine}


class Ledger:
    """The writers' files in `folder`. They write at most so many rows `together`."""

    def __init__(self, folder: Path, *, together: int = 1) -> None:
        self.folder = folder
        self.together = together
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, writer: str) -> Path:
        return self.folder / f"{writer}.acked"

    def count(self, writer: str) -> int:
        """How many rows this writer has been told are taken."""
        try:
            return self.path(writer).read_bytes().count(b"\n")
        except FileNotFoundError:
            return 0

    def total(self) -> int:
        return sum(self.count(path.stem) for path in self.folder.glob("*.acked"))

    def acked(self) -> set[str]:
        return {
            f"{path.stem}/{number}"
            for path in self.folder.glob("*.acked")
            for number in range(self.count(path.stem))
        }

    def violations(
        self,
        log_dir: Path,
        store: Store,
        *,
        killed: int = 0,
        damaged: int = 0,
        drained: bool = True,
    ) -> list[str]:
        """What of the promise does not hold. Nobody may write or deliver meanwhile.

        `killed` processes may each have left rows of one append that were not counted, and that
        nobody was told of. `damaged` rows were hurt in the files by the test. `drained` tells that
        all rows were delivered.
        """
        acked, found, account = self.acked(), look(log_dir, store), account_of(log_dir)
        lost = acked - found.anywhere
        strange = {tag for tag in found.anywhere - acked if not self._is_next(tag)}
        twice = [tag for tag, count in found.store.items() if count > 1]
        waiting = {tag for tag in found.journal if tag not in found.store} - {*found.quarantine}
        wrong = []
        if len(lost) > account.dropped + damaged:
            wrong.append(f"{len(lost)} rows are nowhere, {account.dropped} counted: {_some(lost)}")
        if strange:
            wrong.append(f"{len(strange)} rows that nobody wrote: {_some(strange)}")
        if twice:
            wrong.append(f"{len(twice)} rows are in the store twice: {_some(twice)}")
        if drained and waiting:
            wrong.append(f"{len(waiting)} rows did not reach the store: {_some(waiting)}")
        if drained and account.pending:
            wrong.append(f"{account.pending} rows are said to wait")
        if not -killed * self.together - damaged <= account.unaccounted <= damaged:
            wrong.append(f"the identity is off by {account.unaccounted}: {numbers(account)}")
        stored = count_rows(store)
        if account.shipped > stored if not drained else account.shipped != stored:
            wrong.append(f"{account.shipped} rows are said to be shipped, {stored} are")
        return wrong

    def _is_next(self, tag: str) -> bool:
        """Whether this is a row whose writer was killed before it was told."""
        writer, _, number = tag.partition("/")
        return self.path(writer).exists() and int(number) - self.count(writer) < self.together


def look(log_dir: Path, store: Store) -> Found:
    """All rows of the writers, wherever they are."""
    journal: Counter[str] = Counter()
    for row in rows_in(log_dir):
        journal.update(_tags(row.encode()))
    stored: Counter[str] = Counter()
    for endpoint in _endpoints(store):
        stored.update(_tags(endpoint.encode()))
    quarantined: Counter[str] = Counter()
    for entry in Quarantine(log_dir).entries():
        quarantined.update(_tags(entry.raw))
    return Found(journal, stored, quarantined)


def rows_in(log_dir: Path) -> Iterator[str]:
    """The endpoints of all rows in the files."""
    for segment in reader.list_segments(log_dir, _API):
        offset = 0
        while True:
            chunk = reader.read(segment.path, _API, offset, max_rows=5_000, final=True)
            yield from (str(row[_ENDPOINT]) for row in chunk.rows)
            if chunk.next_offset == offset:
                break
            offset = chunk.next_offset


def _endpoints(store: Store) -> Iterator[str]:
    """Those of all rows in the store, some thousand at a time."""
    sql = "SELECT id, endpoint FROM api_logs WHERE id > ? ORDER BY id LIMIT 20000"
    last = 0
    while rows := store.query(sql, (last,), timeout=60).rows:
        yield from (str(endpoint) for _, endpoint in rows)
        last = int(str(rows[-1][0]))


def count_rows(store: Store) -> int:
    """All rows of the store, whoever wrote them."""
    counts = ", ".join(f"(SELECT count(*) FROM {name})" for name in TABLES)
    return sum(int(str(count)) for count in store.query(f"SELECT {counts}", timeout=60).rows[0])


def account_of(log_dir: Path) -> Account:
    return Accountant(log_dir, Tally(log_dir)).account()


def numbers(account: Account) -> str:
    """The identity as people read it."""
    return (
        f"{account.appended} appended = {account.shipped} shipped + {account.pending} pending"
        f" + {account.quarantined} quarantined + {account.dropped} dropped"
    )


def _tags(text: bytes) -> list[str]:
    return [tag.decode() for tag in _TAG.findall(text)]


def _some(tags: "set[str] | list[str]") -> str:
    return ", ".join(sorted(tags)[:5])
