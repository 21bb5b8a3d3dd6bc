"""The SQL that the stores share: statements, and what may be asked of a store."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.lib.tracelog.schema import Table, Value
from app.lib.tracelog.store.store import QueryFailed

INT64_MIN: Final = -(2**63)
INT64_MAX: Final = 2**63 - 1

NO_CODE: Final = (
    r"""--[^\n]* | /\*.*?(?:\*/|\Z) | '(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | \[[^\]]*\]"""
)
"""Comments, texts and quoted names in SQL, as a verbose pattern in which `.` is any character."""

_NO_CODE: Final = re.compile(NO_CODE, re.VERBOSE | re.DOTALL)
_READS: Final = re.compile(r"\s*(SELECT|WITH|VALUES|EXPLAIN)\b", re.IGNORECASE)
_WRITES: Final = re.compile(r"\b(INSERT|UPDATE|DELETE|REPLACE\s+INTO)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement with the values of its `?`, in order."""

    sql: str
    args: Sequence[Value] = ()


def integer_columns(table: Table) -> tuple[int, ...]:
    """Where in a row its integers are."""
    return tuple(i for i, column in enumerate(table.columns) if column.kind in {"id", "int"})


def insert_sql(table: Table) -> str:
    """Inserts one row given as arguments."""
    marks = ",".join("?" * len(table.columns))
    return f"INSERT INTO {table.name} ({','.join(table.column_names)}) VALUES ({marks})"  # noqa: S608


def compare_sql(table: Table) -> str:
    """Answers `id, same` where there is a row under the id of the one given as arguments.

    The id's argument comes last.
    """
    same = " AND ".join(f"{name} IS ?" for name in table.column_names[1:])
    return f"SELECT id, {same} FROM {table.name} WHERE id = ?"  # noqa: S608


def insert_many_sql(table: Table) -> str:
    """Inserts rows given as one argument: a JSON array of arrays.

    Servers parse this once however many rows there are, where a long list of `(?,?,…)` costs them
    more than the rows do.
    """
    values = ",".join(f"json_extract(value,'$[{i}]')" for i in range(len(table.columns)))
    return f"INSERT INTO {table.name} ({','.join(table.column_names)}) SELECT {values} FROM json_each(?)"  # noqa: E501, S608


def compare_many_sql(table: Table) -> str:
    """As `compare_sql`, for rows given as one argument: a JSON array of arrays."""
    same = " AND ".join(
        f"t.{name} IS json_extract(j.value,'$[{i}]')"
        for i, name in enumerate(table.column_names)
        if i
    )
    return (
        f"SELECT t.id, {same} FROM json_each(?) AS j"  # noqa: S608
        f" JOIN {table.name} AS t ON t.id = json_extract(j.value,'$[0]')"
    )


def check_reads_only(sql: str) -> None:
    """Raise `QueryFailed` unless this is one statement that reads.

    This gives the person a plain word. The wall behind it is the store's: it opens the database
    read-only, or rolls back whatever the statement did.
    """
    code = _NO_CODE.sub(" ", sql).rstrip().removesuffix(";")
    if ";" in code:
        raise QueryFailed("Only one statement at a time can be asked.")
    if not _READS.match(code) or _WRITES.search(code):
        raise QueryFailed("Only questions can be asked: SELECT, WITH … SELECT, VALUES, EXPLAIN.")
