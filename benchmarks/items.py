"""How long a page of a very long list takes: `manage.py bench items --database URL`.

Loads `--items` made-up items of one user into an empty database (or takes those of an earlier run),
then asks for pages: each order, each status, first and far pages, without and with searches. Times
are those of the service, in milliseconds, from taking a connection to the commit. The time that the
CPU worked for it is shown too, which other programs change less; for PostgreSQL it is this side's
and, where Linux tells it, the server's.
"""

import asyncio
import itertools
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, get_args

from sqlalchemy import func, select, text

from app.database import Database
from app.lib.logger import NullLogger
from app.migration import upgrade
from app.models.item import STATUSES, Item, Status
from app.models.user import User
from app.schemas.cursor import Direction, Sort
from app.schemas.item import ItemIn, ItemQuery
from app.services.item_bulk import NewItem, insert_items
from app.services.item_list import place_of
from app.services.item_order import ItemOrder
from app.services.item_seed import made_up_items
from app.services.item_service import ItemService
from benchmarks.percentiles import percentile
from commands.kit.arguments import Arguments

NOW: Final = datetime(2026, 11, 5, 12, 0, tzinfo=UTC)
EMAIL: Final = "benchmark@example.com"
BATCH: Final = 20_000
CHANGES: Final = 100
"""How often each kind of change is timed."""

SEARCHES: Final = {
    "no search": [""],
    "rare": ["霧島温泉", "島温", "北極星のかけら"],
    "two characters": ["東京", "会議", "re", "in"],
    "one character": ["東", "の", "e", "x"],
    "common": ["report", "作成する", "カスタマーサポート", "office"],
    "several words": ["東京 見積書", "kyoto quote", "メール 開発 report", "部 会 を"],
    "no hit": ["qqqq", "砂漠", "reportx", "ingthe", "京東都"],
    "spread 1 %": ["壱分散"],
    "spread 10 %": ["拾分散"],
    "spread 50 %": ["半分散"],
    "oldest 1 %": ["壱分古"],
    "oldest 10 %": ["拾分古"],
    "oldest 50 %": ["半分古"],
}


def marked(items: Iterator[NewItem], count: int) -> Iterator[NewItem]:
    """`items` with words in them of which it is known how many have them, and which."""
    for place, item in enumerate(items):
        words = []
        if place % 100_000 == 50_000:
            words.append("霧島温泉")
        for name, every in (("壱分", 100), ("拾分", 10), ("半分", 2)):
            if place % every == 0:
                words.append(f"{name}散")
            if place < count // every:
                words.append(f"{name}古")
        yield item._replace(description=f"{item.description}\n{' '.join(words)}".strip())


async def load(database: Database, count: int) -> int:
    """The id of a user who has `count` items, made now unless they are there."""
    async with database.system_session() as session:
        user = await session.scalar(select(User).where(User.email == EMAIL))
        if user is None:
            user = User(email=EMAIL, name="Benchmark", created_at=NOW)
            session.add(user)
            await session.flush()
        living = (Item.owner_id == user.id, Item.deleted_at.is_(None))
        have = await session.scalar(select(func.count()).where(*living)) or 0
    if have == 0:
        items = marked(made_up_items(count, now=NOW), count)
        started = time.perf_counter()
        while have < count:
            async with database.system_session() as session:
                batch = itertools.islice(items, BATCH)
                have += await insert_items(session, user.id, batch)
        seconds = time.perf_counter() - started
        print(f"loaded {have:,} items in {seconds:.0f} s: {have / seconds:,.0f} a second")
        await settle(database)
    if have != count:
        raise SystemExit(f"The database has {have:,} items of this user, not {count:,}.")
    return user.id


async def settle(database: Database) -> None:
    """What happens by itself some time after so many inserts."""
    if database.engine.dialect.name == "postgresql":
        async with database.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.execute(text("VACUUM (ANALYZE) items"))
            await connection.execute(text("CHECKPOINT"))


@dataclass(frozen=True, slots=True)
class Measured:
    group: str
    query: ItemQuery
    milliseconds: float
    cpu: float


class CpuClock:
    """Milliseconds of CPU time of this process and of the server's process of one connection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._server: Path | None = None

    async def find_server(self) -> None:
        """Must be called while no connection is taken: later ones get the same from the pool."""
        if self._database.engine.dialect.name == "postgresql":
            async with self._database.system_session() as session:
                pid = await session.scalar(text("SELECT pg_backend_pid()"))
            self._server = Path(f"/proc/{pid}/schedstat")

    def __call__(self) -> float:
        server = 0.0
        if self._server and self._server.exists():
            server = int(self._server.read_text().split()[0]) / 1e6
        return time.process_time() * 1000 + server


@asynccontextmanager
async def service(database: Database, user_id: int) -> AsyncIterator[ItemService]:
    async with database.session(user_id) as session:
        yield ItemService(session, NullLogger(), user_id)


async def far_cursor(
    database: Database, user_id: int, sort: Sort, direction: Direction, status: Status | None
) -> str | None:
    """A place behind three quarters of the list."""
    async with database.system_session() as session:
        query = ItemQuery(sort=sort, direction=direction, status=status, limit=1)
        count = await session.scalar(
            select(func.count()).where(
                Item.owner_id == user_id,
                Item.deleted_at.is_(None),
                Item.status.in_([status] if status else STATUSES),
            )
        )
        order = ItemOrder(
            dialect="sqlite" if database.engine.dialect.name == "sqlite" else "postgresql",
            owner_id=user_id,
            status=status,
            sort=sort,
            descending=direction == "desc",
        )
        found = await session.execute(order.walk([], 1, offset=int((count or 0) * 0.75)))
        return place_of(query, found.one()).encode()


async def measure_pages(database: Database, user_id: int, rounds: int) -> list[Measured]:
    measured = []
    cpu = CpuClock(database)
    await cpu.find_server()
    orders = itertools.product(get_args(Sort), get_args(Direction), (None, *STATUSES))
    for sort, direction, status in orders:
        far = await far_cursor(database, user_id, sort, direction, status)
        for (group, searches), after in itertools.product(SEARCHES.items(), (None, far)):
            for q in searches:
                query = ItemQuery(sort=sort, direction=direction, status=status, q=q, after=after)
                for _ in range(rounds):
                    started, worked = time.perf_counter(), cpu()
                    async with service(database, user_id) as items:
                        await items.page(query)
                    elapsed = (time.perf_counter() - started) * 1000
                    measured.append(Measured(group, query, elapsed, cpu() - worked))
    return measured


async def measure_changes(database: Database, user_id: int, rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = defaultdict(list)

    @asynccontextmanager
    async def timed(name: str) -> AsyncIterator[ItemService]:
        started = time.perf_counter()
        async with service(database, user_id) as items:
            yield items
        times[name].append((time.perf_counter() - started) * 1000)

    data = ItemIn(title="東京の会議の資料を作成する", description="ほかと変わらない項目です。" * 20)
    for _ in range(rounds):
        async with timed("create") as items:
            item_id = (await items.create(data)).id
        async with timed("update") as items:
            await items.update(item_id, data, 1)
        async with timed("status") as items:
            await items.set_status([item_id], "done")
        async with timed("get") as items:
            await items.get(item_id)
        async with timed("delete") as items:
            await items.delete([item_id])
    return times


def line(name: str, values: list[float], cpu: Sequence[float] = ()) -> str:
    p50, p95, worst = percentile(values, 50), percentile(values, 95), max(values)
    figures = f"{name:24}{len(values):7}{p50:9.1f}{p95:9.1f}{worst:9.1f}"
    return f"{figures}{percentile(list(cpu), 95):9.1f}" if cpu else figures


def pages_line(name: str, measured: list[Measured]) -> str:
    return line(name, [m.milliseconds for m in measured], [m.cpu for m in measured])


def report(measured: list[Measured], changes: dict[str, list[float]]) -> None:
    print(f"{'pages':24}{'n':>7}{'p50':>9}{'p95':>9}{'worst':>9}{'CPU p95':>9}  (ms)")
    for group in SEARCHES:
        for is_far in (False, True):
            those = [m for m in measured if m.group == group and bool(m.query.after) == is_far]
            print(pages_line(f"{group}, {'far' if is_far else 'first'}", those))
    print(pages_line("all pages", measured))
    for name, values in changes.items():
        print(line(name, values))
    print("slowest pages:")
    for m in sorted(measured, key=lambda m: m.milliseconds, reverse=True)[:8]:
        query = m.query.model_dump(exclude_defaults=True, exclude={"after"})
        where = "far" if m.query.after else "first"
        print(f"{m.milliseconds:9.1f}{m.cpu:9.1f}  {m.group}, {where}: {query}")


async def run(url: str, count: int, rounds: int) -> None:
    upgrade(url)
    database = Database(url)
    try:
        user_id = await load(database, count)
        await measure_pages(database, user_id, 1)  # what is asked for first is not what is usual
        report(
            await measure_pages(database, user_id, rounds),
            await measure_changes(database, user_id, CHANGES),
        )
    finally:
        await database.close()


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(prog="manage.py bench items", description=__doc__)
    parser.add_argument(
        "--database", required=True, metavar="URL", help="an empty one, or of an earlier run"
    )
    parser.add_argument("--items", type=int, default=1_000_000, help="how many (1,000,000)")
    parser.add_argument("--rounds", type=int, default=3, help="of each (3)")
    options = parser.parse_args(arguments)
    asyncio.run(run(options.database, options.items, options.rounds))
    return 0
