"""What limits an import: the same rows, brought in by the database's own command alone.

Into a bare table, which has the columns of the file, text all of them, and no index; and into the
real one. For that the rows are ready: all that is derived from them stands in the file already.
"""

import csv
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import psycopg

from app.lib.search_grams import grams, sort_key
from app.models.item import STATUSES
from app.services.item_bulk import NewItem

NAMES: Final = ("title", "description", "status", "due_on")
READY: Final = (
    "owner_id",
    "title",
    "title_key",
    "description",
    "status",
    "due_on",
    "search_grams",
    "created_at",
    "updated_at",
    "version",
    "import_key",
)


class Took(NamedTuple):
    """Who did it, and how long it took by the clock."""

    command: str
    seconds: float


def write_plain(path: Path, items: Iterator[NewItem]) -> None:
    """The file that is imported."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(NAMES)
        for item in items:
            due_on = item.due_on.isoformat() if item.due_on else ""
            writer.writerow((item.title, item.description, item.status, due_on))


def write_ready(path: Path, owner_id: int, items: Iterator[NewItem]) -> None:
    """The same rows as the real table has them."""
    now = f"{datetime.now(UTC).replace(tzinfo=None):%Y-%m-%d %H:%M:%S.%f}"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(READY)
        for key, item in enumerate(items):
            searched_by = grams(f"{item.title}\n{item.description}")
            said = (item.title, sort_key(item.title), item.description)
            place = STATUSES.index(item.status)
            row = (owner_id, *said, place, item.due_on, searched_by, now, now, 1, key * 7919)
            writer.writerow(row)


def import_plain(url: str, path: Path, table: str, columns: Sequence[str]) -> Took:
    """Bring a file into a table, `bare` or `items`, in one transaction."""
    if url.startswith("sqlite"):
        return _into_sqlite(Path(url.removeprefix("sqlite:///")), path, table, columns)
    return _into_postgres(url, path, table, columns)


def _into_sqlite(database: Path, path: Path, table: str, columns: Sequence[str]) -> Took:
    """`sqlite3 .import`; where there is no such program, Python's module in its place."""
    # The command has no NULL, and wants all columns of a table: so by way of a bare one.
    values = ", ".join("nullif(due_on, '')" if it == "due_on" else it for it in columns)
    into_real = f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM bare;"
    if table == "bare":
        into_real = ""
    program = shutil.which("sqlite3")
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("DROP TABLE IF EXISTS bare")
        connection.execute(f"CREATE TABLE bare ({', '.join(columns)})")
    started = time.monotonic()
    if program:
        script = (
            "PRAGMA synchronous = NORMAL;",
            "BEGIN IMMEDIATE;",
            f".import --csv --skip 1 '{path.as_posix()}' bare",
            into_real,
            "COMMIT;",
        )
        subprocess.run(
            [program, "-bail", str(database)], input="\n".join(script), text=True, check=True
        )
        return Took("sqlite3 .import", time.monotonic() - started)
    with closing(sqlite3.connect(database)) as connection, path.open(encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        places = ", ".join("?" * len(columns))
        connection.executemany(f"INSERT INTO bare VALUES ({places})", rows)
        connection.executescript(into_real)
        connection.commit()
    return Took("Python's sqlite3", time.monotonic() - started)


def _into_postgres(url: str, path: Path, table: str, columns: Sequence[str]) -> Took:
    """`psql \\copy`; where there is no such program, the file by psycopg's COPY."""
    names = ", ".join(columns)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS bare")
        if table == "bare":
            connection.execute(f"CREATE TABLE bare ({', '.join(f'{it} text' for it in columns)})")
    copy = (
        f"COPY {table} ({names}) FROM STDIN WITH (FORMAT csv, HEADER, FORCE_NOT_NULL (description))"
    )
    program = shutil.which("psql")
    started = time.monotonic()
    if program:
        command = "\\" + copy.lower().replace("stdin", f"'{path.as_posix()}'")
        subprocess.run([program, url, "-qc", command], check=True)
        return Took("psql \\copy", time.monotonic() - started)
    with (
        psycopg.connect(url, autocommit=True) as connection,
        connection.cursor() as cursor,
        cursor.copy(copy) as copying,
        path.open("rb") as file,
    ):
        while chunk := file.read(1 << 20):
            copying.write(chunk)
    return Took("psycopg COPY", time.monotonic() - started)
