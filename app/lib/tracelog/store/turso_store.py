"""The store in Turso's cloud, or in any server that speaks Hrana over HTTP."""

import re
from array import array
from collections.abc import Mapping, Sequence
from typing import Final, cast
from urllib.parse import parse_qs, quote, urlsplit

import orjson

from app.lib.tracelog.schema import TABLES, Row, Table, Value
from app.lib.tracelog.short_turns import give_way
from app.lib.tracelog.store import hrana, insertion, migrations
from app.lib.tracelog.store.sql import (
    Statement,
    check_reads_only,
    compare_many_sql,
    compare_sql,
    insert_many_sql,
    insert_sql,
    integer_columns,
)
from app.lib.tracelog.store.store import (
    MOST_ANSWER,
    Batch,
    Inserted,
    QueryFailed,
    Result,
    RowRejected,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from app.lib.tracelog.store.transport import TooLarge, Transport, TransportError

CALL_SECONDS: Final = 15.0
"""The most that a write may take; servers end a transaction after 5 s."""

_MOST_PAYLOAD: Final = 2_000_000
_HEADER_VALUE: Final = re.compile("[!-~]*")
_SCHEMES: Final = {"libsql": "https", "wss": "https", "ws": "http"}


class TursoStore:
    """`url` is `libsql://`, `https://` or `http://`; the token may stand in it as `authToken`.

    Nothing is sent before the first call. Raises `ValueError` for a URL that is none.
    """

    def __init__(self, url: str, token: str = "", *, seconds: float = CALL_SECONDS) -> None:
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        scheme = _SCHEMES.get(parts.scheme, parts.scheme)
        if parts.scheme == "libsql" and query.get("tls") == ["0"]:
            scheme = "http"
        if scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("the URL must look like libsql://your-database.turso.io")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        self._host = f"{host}:{parts.port}" if parts.port else host
        self._token = (token or query.get("authToken", [""])[0]).strip()
        self._path = quote(f"{parts.path.rstrip('/')}/v2/pipeline", safe="/%")
        self._seconds = seconds
        self._transport = Transport(f"{scheme}://{self._host}")
        self._headers = {"Content-Type": "application/json"}
        if scheme == "https":
            self._headers["Accept-Encoding"] = "gzip"
        if self._token:
            self._headers["Authorization"] = f"Bearer {self._token}"
        self._knows_close = True

    @property
    def name(self) -> str:
        return self._host

    def migrate(self) -> None:
        migrations.migrate(self)

    def insert(self, batch: Batch) -> Inserted:
        return insertion.insert(self, batch)

    def query(self, sql: str, args: Sequence[Value] = (), *, timeout: float = 10.0) -> Result:
        check_reads_only(sql)
        try:
            return self._post([Statement(sql, args)], write=False, seconds=timeout)[0]
        except RowRejected as error:
            raise QueryFailed(str(error)) from None

    def close(self) -> None:
        self._transport.close()

    # --- what insertion and migrations need --------------------------------------------------

    def write(self, rows: Mapping[str, Sequence[Row]], then: Sequence[Statement]) -> None:
        statements: list[Statement] = []
        for name, table_rows in rows.items():
            table = TABLES[name]
            for part, payload in _payloads(table, table_rows):
                if payload is None:
                    statements.append(Statement(insert_sql(table), part[0]))
                else:
                    statements.append(Statement(insert_many_sql(table), (payload,)))
        try:
            self.transact([*statements, *then])
        except QueryFailed as error:
            raise StoreRefused(f"The server does not know our SQL: {error}") from None

    def same(self, table: Table, rows: Sequence[Row]) -> dict[int, bool]:
        statements = []
        for part, payload in _payloads(table, rows):
            if payload is None:
                args = (*part[0][1:], part[0][0])
                statements.append(Statement(compare_sql(table), args))
            else:
                statements.append(Statement(compare_many_sql(table), (payload,)))
        if not statements:
            return {}
        answers = self._post(statements, write=False, seconds=self._seconds)
        return {
            row[0]: bool(row[1])
            for answer in answers
            for row in answer.rows
            if isinstance(row[0], int)
        }

    def transact(self, statements: Sequence[Statement]) -> None:
        self._post(statements, write=True, seconds=self._seconds)

    def ask(self, statement: Statement) -> Result:
        return self._post([statement], write=False, seconds=self._seconds)[0]

    # --- the wire ----------------------------------------------------------------------------

    def _post(
        self, statements: Sequence[Statement], *, write: bool, seconds: float
    ) -> list[Result]:
        if not _HEADER_VALUE.fullmatch(self._token):
            raise StoreRefused("The token has characters that no token has.")
        try:
            give_way()
            batch = hrana.transaction(statements, write=write)
            body = hrana.pipeline(batch, close=self._knows_close)
            give_way()
            answer = self._transport.post(
                self._path,
                body,
                self._headers,
                seconds=seconds,
                max_bytes=MOST_ANSWER,
            )
            give_way()
            if answer.status == 200:
                return hrana.results(answer.body, len(statements), write=write)
            if self._knows_close and b"unknown variant `close`" in answer.body:
                self._knows_close = False
                return self._post(statements, write=write, seconds=seconds)
            raise hrana.http_error(answer.status, answer.body, answer.retry_after)
        except TooLarge as error:
            raise QueryFailed(f"Too much to show: {error}.") from None
        except TransportError as error:
            raise StoreUnavailable(f"{self._host}: {error}.") from None
        except StoreError as error:
            if self._token and self._token in str(error):
                error.args = (str(error).replace(self._token, "***"),)
            raise


def _payloads(table: Table, rows: Sequence[Row]) -> list[tuple[Sequence[Row], str | None]]:
    """The rows in parts with their JSON, which is None for a single row too large for one value.

    Raises `RowRejected` for text that is no Unicode and integers of more than 64 bits.
    """
    if not rows:
        return []
    try:
        for index in integer_columns(table):
            array("q", cast("list[int]", [row[index] for row in rows if row[index] is not None]))
        payload = orjson.dumps(rows)
    except (TypeError, OverflowError) as error:
        raise RowRejected(f"A value cannot be stored: {error}.") from None
    if len(payload) <= _MOST_PAYLOAD:
        return [(rows, payload.decode())]
    if len(rows) == 1:
        return [(rows, None)]
    middle = len(rows) // 2
    return _payloads(table, rows[:middle]) + _payloads(table, rows[middle:])
