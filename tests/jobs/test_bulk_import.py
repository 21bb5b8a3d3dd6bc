"""Imports as the engine runs them, on SQLite and on PostgreSQL."""

import io
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest
import xlsxwriter
from anyio import to_thread
from sqlalchemy import func, select

from app.config import Settings
from app.database import Database
from app.jobs import import_commit
from app.jobs.engine import JobEngine
from app.jobs.import_commit import ImportCommit
from app.jobs.running import RunningJob
from app.lib.logger import NullLogger
from app.lib.table_files import Text, TextTable
from app.lib.table_problems import TableProblem
from app.models.item import Item
from app.models.item_import import ItemImport
from app.models.job import Job
from app.schemas.item import ItemQuery
from app.schemas.item_import import ImportChoice
from app.services.imports.folder import ImportFolder
from app.services.imports.good_lines import line_of
from app.services.imports.import_service import ImportService, UploadedTable, look_at, table_limits
from app.services.item_list import ItemList
from app.services.item_service import ItemService
from tests.jobs.queued import has_ended, job_when
from tests.jobs.test_engine import database as database
from tests.jobs.test_engine import url as url

ON_ONE = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
"""Where the database has no part in it."""

NAMES = ["title", "description", "status", "due_on"]
COLUMNS = {"title": 0, "description": 1, "status": 2, "due_on": 3}


@pytest.fixture
def settings(url: str, tmp_path: Path) -> Settings:
    return Settings(
        database_url=url, files_dir=tmp_path / "files", import_max_columns=9, import_max_rows=50
    )


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[JobEngine]:
    engine = JobEngine(settings, NullLogger())
    await to_thread.run_sync(engine.start)
    yield engine
    await to_thread.run_sync(engine.stop)


async def upload(database: Database, settings: Settings, content: bytes) -> int:
    """The id of an import of a file."""
    key, folder = ImportFolder.new(settings.files_dir)
    folder.upload.write_bytes(content)
    shape, sample = look_at(folder.upload, table_limits(settings))
    async with database.system_session() as session:
        table = UploadedTable(key, "items.csv", len(content), shape, sample)
        added, _ = await ImportService(session, 1).add(table)
    return added.id


async def begin(database: Database, import_id: int, **choice: Any) -> str:
    """The id of the job of an import."""
    async with database.system_session() as session:
        chosen = ImportChoice.model_validate({**COLUMNS, **choice})
        return (await ImportService(session, 1).begin(import_id, chosen)).id


async def imported(database: Database, settings: Settings, content: bytes, **choice: Any) -> Job:
    """The job of a file at its end."""
    job_id = await begin(database, await upload(database, settings, content), **choice)
    return await job_when(database, job_id, has_ended)


async def titles(database: Database, user: int = 1, q: str = "") -> list[str]:
    """What the list has, as it is searched, oldest first."""
    async with database.session(user) as session:
        query = ItemQuery(q=q, direction="asc", limit=200)
        return [item.title for item in (await ItemList(session, user).page(query)).items]


def lines(*rows: Sequence[str], names: Sequence[str] = NAMES) -> bytes:
    return "\r\n".join(",".join(row) for row in (names, *rows)).encode()


def workbook(path: Path, rows: Sequence[Sequence[str]]) -> bytes:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return path.read_bytes()


def bad_rows(settings: Settings, found: ItemImport) -> list[Mapping[str, Any]]:
    path = ImportFolder(settings.files_dir, found.key).bad
    return [orjson.loads(line) for line in path.read_bytes().splitlines()[1:]]


async def the_import(database: Database) -> ItemImport:
    async with database.system_session() as session:
        found = await session.scalar(select(ItemImport).order_by(ItemImport.id.desc()))
    assert found is not None
    return found


async def test_good_rows_come_in_and_can_be_searched(
    database: Database, settings: Settings, engine: JobEngine
) -> None:
    content = lines(
        ["Buy tea", '"green,\nand black"', "done", "2026-11-05"],
        ["", "no title", "todo", ""],
        ["会議の資料", "", "作業中", "2026/1/9"],
        ["Late", "", "someday", "soon"],
        ["Shifted", "one", "todo", "", "cell too many"],
    )

    job = await imported(database, settings, content)

    assert (job.status, job.problem) == ("done", None)
    assert job.result == {"rows": 5, "good": 2, "bad": 3, "inserted": 2, "skipped": 0}
    assert await titles(database) == ["Buy tea", "会議の資料"]
    assert await titles(database, q="black") == ["Buy tea"]
    assert await titles(database, q="議の資") == ["会議の資料"]
    assert await titles(database, user=2) == []
    async with database.system_session() as session:
        kept = await session.scalars(select(Item).order_by(Item.id))
        assert [(i.description, i.status, str(i.due_on)) for i in kept] == [
            ("green,\nand black", "done", "2026-11-05"),
            ("", "doing", "2026-01-09"),
        ]
    found = await the_import(database)
    bad = bad_rows(settings, found)
    assert [row["row"] for row in bad] == [3, 5, 6]
    assert bad[0]["cells"] == ["", "no title", "todo", ""]
    assert [(p["field"], p["type"]) for row in bad for p in row["problems"]] == [
        ("title", "string_too_short"),
        ("status", "literal_error"),
        ("due_on", "date_parsing"),
        ("", "too_many_cells"),
    ]
    assert [path.name for path in ImportFolder(settings.files_dir, found.key).path.iterdir()] == [
        "bad.jsonl"
    ]


@ON_ONE
async def test_a_workbook_comes_in_as_a_csv_file_does(
    database: Database, settings: Settings, engine: JobEngine, tmp_path: Path
) -> None:
    rows = [NAMES, [], ["Buy tea", "two\nlines", "done", "2026-11-05"], ["", "", "", "x"]]
    job = await imported(database, settings, workbook(tmp_path / "items.xlsx", rows))

    assert job.result == {"rows": 2, "good": 1, "bad": 1, "inserted": 1, "skipped": 0}
    assert await titles(database, q="lines") == ["Buy tea"]
    assert [row["row"] for row in bad_rows(settings, await the_import(database))] == [4]


@pytest.mark.parametrize(
    ("url", "kind"), [("sqlite", "csv"), ("postgres", "excel")], indirect=["url"]
)
async def test_an_exported_file_comes_in_as_it_was(
    database: Database, settings: Settings, engine: JobEngine, kind: Text
) -> None:
    texts = ["=1+1", "'=1+1", "'tis", "-1", "1234567890123456"]
    table = TextTable(kind, NAMES)
    items = ({"title": text, "description": text, "status": "todo"} for text in texts)
    body = table.body({"due_on": None, **item} for item in items)

    await imported(database, settings, table.head() + body)

    assert await titles(database) == texts


def test_first_rows_are_not_looked_for_without_end(settings: Settings, tmp_path: Path) -> None:
    workbook(tmp_path / "items.xlsx", [["title"]])
    times = iter([0.0, 1.0, 1.0, 100.0])

    with pytest.raises(TableProblem, match="too_slow"):
        look_at(tmp_path / "items.xlsx", table_limits(settings), lambda: next(times))


async def test_all_or_nothing(database: Database, settings: Settings, engine: JobEngine) -> None:
    good, bad = ["Buy tea", "", "", ""], ["", "x", "", ""]

    failed = await imported(database, settings, lines(good, bad), all_or_nothing=True)

    assert (failed.status, failed.problem) == (
        "failed",
        {"code": "bad_rows", "values": {"bad": 1, "rows": 2}},
    )
    assert await titles(database) == []
    done = await imported(database, settings, lines(good, good), all_or_nothing=True)
    assert done.status == "done"
    assert await titles(database) == ["Buy tea"] * 2


async def test_the_same_file_again_changes_nothing(
    database: Database, settings: Settings, engine: JobEngine
) -> None:
    tea, coffee = ["Buy tea", "green", "", ""], ["Buy coffee", "", "", ""]
    content = lines(tea, tea, coffee)
    first = await imported(database, settings, content, skip_known=True)
    assert first.result is not None
    assert (first.result["inserted"], first.result["skipped"]) == (3, 0)
    async with database.session(1) as session:
        items = ItemService(session, NullLogger(), 1)
        await items.set_status([1], "done")
        await items.delete([3])

    again = await imported(database, settings, lines(tea, tea), skip_known=True)
    more = await imported(database, settings, lines(tea, coffee), skip_known=True)

    assert again.result is not None
    assert (again.result["inserted"], again.result["skipped"]) == (0, 2)
    # What was deleted is wanted again by who imports it again.
    assert more.result is not None
    assert (more.result["inserted"], more.result["skipped"]) == (1, 1)
    assert await titles(database) == ["Buy tea", "Buy tea", "Buy coffee"]
    without = await imported(database, settings, lines(coffee))
    assert without.result is not None
    assert without.result["inserted"] == 1


async def test_known_rows_are_passed_over_in_whichever_batch_they_are(
    database: Database, settings: Settings, engine: JobEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_commit, "_ROWS_A_BATCH", 2)
    rows = [[f"Item {number}", "", "", ""] for number in range(7)]
    await imported(database, settings, lines(rows[2], rows[4], rows[5]))

    more = await imported(database, settings, lines(*rows), skip_known=True)
    again = await imported(database, settings, lines(*rows), skip_known=True)

    for job, inserted in ((more, 4), (again, 0)):
        assert job.result is not None
        assert (job.result["inserted"], job.result["skipped"]) == (inserted, 7 - inserted)
    assert sorted(await titles(database)) == [title for title, *_ in rows]


@ON_ONE
async def test_a_file_without_names_or_with_others(
    database: Database, settings: Settings, engine: JobEngine
) -> None:
    content = b"1,Buy tea\n2,Buy coffee\n"
    choice = dict.fromkeys(COLUMNS, None) | {"title": 1, "has_names": False}

    job = await imported(database, settings, content, **choice)

    assert job.status == "done"
    assert await titles(database) == ["Buy tea", "Buy coffee"]


@pytest.mark.parametrize(
    ("url", "content", "problem"),
    [
        ("sqlite", lines(), {"code": "table_no_rows", "values": {}}),
        (
            "sqlite",
            lines(["a"], ['"b', "no end"]),
            {"code": "table_quotes", "values": {"row": 3}},
        ),
        (
            "sqlite",
            lines(["a"], ["b"] * 10),
            {"code": "table_too_many_columns", "values": {"row": 3, "limit": 9}},
        ),
        ("sqlite", lines(*[["a"]] * 51), {"code": "table_too_many_rows", "values": {"limit": 50}}),
        *(
            (url, lines(["a", "x\0y"]), {"code": "bad_rows", "values": {"bad": 1, "rows": 1}})
            for url in ("sqlite", "postgres")
        ),
    ],
    indirect=["url"],
    ids=["no rows", "quotes", "columns", "rows", "NUL", "NUL with PostgreSQL"],
)
async def test_a_file_that_is_no_table_is_told_in_a_sentence(
    database: Database,
    settings: Settings,
    engine: JobEngine,
    content: bytes,
    problem: dict[str, Any],
) -> None:
    # The first rows are looked at when it is uploaded: put it in the place of a good one.
    import_id = await upload(database, settings, lines(["good"]))
    found = await the_import(database)
    ImportFolder(settings.files_dir, found.key).upload.write_bytes(content)

    job = await job_when(database, await begin(database, import_id), has_ended)

    assert (job.status, job.problem) == ("failed", problem)
    async with database.system_session() as session:
        assert await session.scalar(select(func.count()).select_from(Item)) == 0


def test_batches_are_shorter_where_items_have_little_in_common(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(import_commit, "_GRAMS_A_BATCH", 200)
    running = SimpleNamespace(user_id=1)
    sizes = {}
    for kind, word in (("alike", "東京都"), ("different", "{0:c}{1:c}{2:c}")):
        commit = ImportCommit(cast(RunningJob, running), 1, skip_known=False)
        commit._rows = 50
        rows = (
            word.format(0x4E00 + 3 * number, 0x4E01 + 3 * number, 0x4E02 + 3 * number)
            for number in range(1000)
        )
        file = io.BytesIO(b"".join(line_of(row, "", "todo", None) for row in rows))
        read = partial(commit._read, file, datetime(2026, 11, 5, tzinfo=UTC), "sqlite")
        sizes[kind] = [batch.count for batch in iter(read, None) if batch]
        assert sum(sizes[kind]) == 1000
    assert sizes["alike"] == [50, 100, 200, 400, 250]
    assert max(sizes["different"][1:]) < 100
