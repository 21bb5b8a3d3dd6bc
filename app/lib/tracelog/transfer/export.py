"""Writes a store's rows back to CSV, byte for byte as the journal had them.

A file is in the order of ids. That is the order in which a single process has appended its rows;
rows of several processes may stand some microseconds apart from where the journal has them, so
that their files have the same lines in another order. A row that met a collision has the id under
which it is stored.
"""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import orjson

from app.lib.tracelog import codec
from app.lib.tracelog.schema import TABLES, Column, Row, Table, Value
from app.lib.tracelog.store.store import Cell, QueryFailed, Store

_MOST_ROWS: Final = 1_000
_SECONDS: Final = 30.0

Watch = Callable[[int], None]
"""Called with the number of rows that were written."""


def export(store: Store, folder: Path, watch: Watch = lambda _: None) -> dict[str, int]:
    """Write each table to `folder/<table>.csv`: the rows written, by table.

    The files take their names when all are whole; what fails leaves none. Raises
    `FileExistsError` where one of the names is taken, `StoreError` and `OSError`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in TABLES:
        path = folder / f"{name}.csv"
        if path.exists():
            raise FileExistsError(0, "there is a file already", str(path))
    drafts = {name: folder / f"{name}.csv.part" for name in TABLES}
    try:
        rows = {name: _export(store, TABLES[name], drafts[name], watch) for name in TABLES}
        for draft in drafts.values():
            draft.replace(draft.with_suffix(""))
    finally:
        for draft in drafts.values():
            with contextlib.suppress(OSError):
                draft.unlink()
    return rows


def _export(store: Store, table: Table, draft: Path, watch: Watch) -> int:
    rows = 0
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
    with _named(draft), os.fdopen(fd, "wb") as file:
        file.write(codec.header(table))
        for page in pages(store, table):
            file.write(b"".join([codec.encode(table, row) for row in page]))
            rows += len(page)
            watch(len(page))
        file.flush()
        os.fsync(file.fileno())
    return rows


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """Have an error of a file that is open say which one it is, as the others do."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def pages(store: Store, table: Table) -> Iterator[list[Row]]:
    """All rows of a table in the order of their ids, some at a time. Raises `StoreError`."""
    names = ", ".join(table.column_names)
    sql = f"SELECT {names} FROM {table.name} WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608
    position, rows = -(2**63), _MOST_ROWS
    while True:
        try:
            answer = store.query(sql, (position, rows), timeout=_SECONDS).rows
        except QueryFailed:
            # Large rows: an answer has its limits, in bytes and in time.
            if rows == 1:
                raise
            rows = max(1, rows // 8)
            continue
        if not answer:
            return
        page = [_row(table, cells) for cells in answer]
        yield page
        position = int(str(page[-1][0]))
        rows = min(rows * 2, _MOST_ROWS)


def lines_of(store: Store, table: Table, row_ids: Sequence[int]) -> set[bytes]:
    """The lines that these rows have in an export, where they are there. Raises `StoreError`."""
    names = ", ".join(table.column_names)
    sql = f"SELECT {names} FROM {table.name} WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608
    try:
        answer = store.query(sql, (orjson.dumps(row_ids).decode(),), timeout=_SECONDS).rows
    except QueryFailed:
        if len(row_ids) == 1:
            raise
        middle = len(row_ids) // 2
        first, second = row_ids[:middle], row_ids[middle:]
        return lines_of(store, table, first) | lines_of(store, table, second)
    return {codec.encode(table, _row(table, cells)) for cells in answer}


def _row(table: Table, cells: Sequence[Cell]) -> Row:
    return tuple(_value(column, cell) for column, cell in zip(table.columns, cells, strict=True))


def _value(column: Column, cell: Cell) -> Value:
    if cell is None or isinstance(cell, int):
        return cell
    # From here on some of it is what others have put there: SQLite keeps any value in any column.
    if isinstance(cell, float):
        return str(cell)
    text = cell.decode(errors="replace") if isinstance(cell, bytes) else cell
    if column.kind == "json" and not _is_json(text):
        return codec.one_line(orjson.dumps(text)).decode()
    if column.kind != "text" and not text.isprintable():
        return codec.json_text(text) if column.kind == "json" else " ".join(text.split())
    return text


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True
