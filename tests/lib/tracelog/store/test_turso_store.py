"""The way to Turso's servers, over networks and servers that fail."""

import contextlib
import gzip
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from app.lib.tracelog.schema import API_LOGS
from app.lib.tracelog.store.store import (
    Batch,
    Inserted,
    QueryFailed,
    RowRejected,
    Store,
    StoreError,
    StoreRefused,
    StoreSchemaMissing,
    StoreUnavailable,
)
from app.lib.tracelog.store.turso_store import TursoStore
from tests.lib.tracelog.forks import child_does, forks
from tests.lib.tracelog.rows import api_row
from tests.support import faulty_server as faults
from tests.support.faulty_server import Fault, FaultyServer
from tests.support.processes import SPARE_SECONDS, free_port
from tests.support.turso import TursoServer

TOKEN = "secret-token"

SECONDS = 0.5


@pytest.fixture
def store(faulty_server: FaultyServer) -> Iterator[TursoStore]:
    store = TursoStore(faulty_server.url, TOKEN, seconds=SECONDS)
    yield store
    store.close()


def error_of(store: Store) -> StoreError:
    """What an insert raises, which must not take longer than it may."""
    started = time.monotonic()
    with pytest.raises(StoreError) as told:
        store.insert(Batch({API_LOGS: [api_row()]}))
    assert time.monotonic() - started < SECONDS + SPARE_SECONDS
    assert "\n" not in str(told.value)
    assert TOKEN not in str(told.value)
    return told.value


def answer_of_steps(*steps: object) -> bytes:
    """An answer to a batch in which no step has failed."""
    result = {"step_results": steps, "step_errors": [None] * len(steps)}
    return orjson.dumps({"results": [{"type": "ok", "response": {"result": result}}]})


@pytest.mark.parametrize(
    ("fault", "expected", "says"),
    [
        (faults.is_silent, StoreUnavailable, "did not answer in time"),
        (faults.drips_headers, StoreUnavailable, "did not answer in time"),
        (faults.drips_the_body, StoreUnavailable, "did not answer in time"),
        (faults.hangs_up, StoreUnavailable, "closed the connection"),
        (faults.resets_in_mid_answer, StoreUnavailable, ""),
        (faults.ends_in_mid_answer, StoreUnavailable, "cut short"),
        (faults.answers(200, b"garbage"), StoreUnavailable, "makes no sense"),
        (faults.answers(200, b"{}"), StoreUnavailable, "makes no sense"),
        (faults.answers(200, b'{"results":5}'), StoreUnavailable, "makes no sense"),
        (faults.answers(200, b'{"results":[]}'), StoreUnavailable, "makes no sense"),
        # Of the steps that were sent these are not all.
        (faults.answers(200, answer_of_steps({}, {})), StoreUnavailable, "makes no sense"),
        (
            faults.answers(200, b"<h1>Hotel Wi-Fi</h1>"),
            StoreUnavailable,
            "makes no sense (<h1>Hotel Wi-Fi</h1>)",
        ),
        (
            faults.answers(200, answer_of_steps(None, None, None)),
            StoreUnavailable,
            "makes no sense",
        ),
        (faults.answers(200, b"no gzip", b"Content-Encoding: gzip"), StoreUnavailable, "gzip"),
        (
            faults.answers(200, gzip.compress(b"{}")[:-1], b"Content-Encoding: gzip"),
            StoreUnavailable,
            "cut short",
        ),
        (faults.answers(200, b"-5\r\nx", b"Transfer-Encoding: chunked"), StoreUnavailable, ""),
        (faults.answers(200, b"5\r\nx", b"Transfer-Encoding: chunked"), StoreUnavailable, ""),
        (faults.speaks_otherwise, StoreUnavailable, "SSH-2.0"),
        (faults.answers(400, b"[" * 1000 + b"]" * 1000), StoreRefused, "HTTP 400"),
        (faults.answers(500), StoreUnavailable, "HTTP 500"),
        (faults.answers(503, b"busy\nnow"), StoreUnavailable, "busy now"),
        (faults.answers(429, b"BLOCKED: over quota"), StoreRefused, "blocked this database"),
        (faults.answers(503, b"busy\x1b[2Jnow"), StoreUnavailable, "busy [2Jnow"),
        (faults.answers(500, b"cannot parse pipeline request"), RowRejected, "pipeline"),
        (
            faults.answers(400, b'{"message":"cannot deserialize client message"}'),
            RowRejected,
            ": cannot deserialize client message",
        ),
        (faults.answers(429, b'{"error":"slowly"}'), StoreUnavailable, "slowly"),
        (faults.answers(401, b"no"), StoreRefused, "token"),
        (faults.answers(403, TOKEN.encode()), StoreRefused, "***"),
        (faults.answers(404), StoreRefused, "no address of a Turso database"),
        (faults.answers(302, b"", b"Location: /login"), StoreRefused, "no address"),
        (faults.answers(413), RowRejected, "413"),
        (faults.answers_an_sql_error("Operation was blocked", "BLOCKED"), StoreRefused, "blocked"),
        (faults.answers_an_sql_error("this database is blocked"), StoreRefused, "is blocked"),
        (faults.answers_an_sql_error("database is locked"), StoreUnavailable, "locked"),
        (faults.answers_an_sql_error("no such table: api_logs"), StoreSchemaMissing, "api_logs"),
        (faults.answers_an_sql_error("CHECK constraint failed: x"), RowRejected, "CHECK"),
        (faults.answers_an_sql_error("near FROM: syntax error"), StoreRefused, "our SQL"),
        (faults.answers_an_sql_error("something new"), StoreUnavailable, "something new"),
    ],
)
def test_each_failure_is_told_by_its_kind_in_time_and_without_the_token(
    faulty_server: FaultyServer,
    store: TursoStore,
    fault: Fault,
    expected: type[StoreError],
    says: str,
) -> None:
    faulty_server.fault = fault

    error = error_of(store)

    assert type(error) is expected
    assert says in str(error)


def test_a_pause_that_the_server_asks_for_is_handed_on(
    faulty_server: FaultyServer, store: TursoStore
) -> None:
    faulty_server.fault = faults.answers(429, b"", b"Retry-After: 7")

    error = error_of(store)

    assert isinstance(error, StoreUnavailable)
    assert error.retry_after == 7.0


def test_a_pause_until_a_date_is_none_that_is_known(
    faulty_server: FaultyServer, store: TursoStore
) -> None:
    faulty_server.fault = faults.answers(429, b"", b"Retry-After: Wed, 21 Oct 2026 07:28:00 GMT")

    error = error_of(store)

    assert isinstance(error, StoreUnavailable)
    assert error.retry_after is None


def test_a_blob_that_is_none_makes_no_sense(faulty_server: FaultyServer, store: TursoStore) -> None:
    step = {"cols": [{"name": "a"}], "rows": [[{"type": "blob", "base64": "A"}]]}
    faulty_server.fault = faults.answers(200, answer_of_steps(step, step, step))

    with pytest.raises(StoreUnavailable, match="makes no sense"):
        store.query("SELECT a FROM t")


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("libsql://127.0.0.1", 443),
        ("https://127.0.0.1?tls=0", 443),
        ("libsql://127.0.0.1?tls=0", 80),
        ("http://127.0.0.1", 80),
        ("http://127.0.0.1:8080", 8080),
    ],
)
def test_without_a_port_it_is_that_of_the_scheme(
    monkeypatch: pytest.MonkeyPatch, url: str, port: int
) -> None:
    def refuse(address: tuple[str, int], *_: object) -> None:
        ports.append(address[1])
        raise ConnectionRefusedError

    ports: list[int] = []
    monkeypatch.setattr(socket, "create_connection", refuse)

    with pytest.raises(StoreUnavailable):
        TursoStore(url).query("SELECT 1")
    assert set(ports) == {port}


@pytest.mark.parametrize("token", ["トークン", "secret\ntoken", "secret\0token"])
def test_a_token_that_no_header_takes_is_refused_and_not_shown(token: str) -> None:
    store = TursoStore("http://127.0.0.1:1", token)
    with pytest.raises(StoreRefused, match="characters") as told:
        store.query("SELECT 1")
    assert "secret" not in str(told.value)


def test_a_token_with_spaces_and_a_line_end_around_it_is_that_token(sqld: TursoServer) -> None:
    store = TursoStore(sqld.url, f" {sqld.token}\n")
    assert store.query("SELECT 1").rows == [(1,)]
    store.close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("libsql://a..b", "no such host"),
        (f"libsql://{'a' * 64}.invalid", "no such host"),
        ("http://a\x01b", "control characters"),
        ("http://127.0.0.1:1/é", "nobody listens"),
    ],
)
def test_where_no_server_can_be_is_told(url: str, says: str) -> None:
    with pytest.raises(StoreUnavailable, match=says):
        TursoStore(url).query("SELECT 1")


ZIPPED = b"Content-Encoding: gzip"


@pytest.mark.parametrize(
    "fault", [faults.never_ends, faults.answers(200, gzip.compress(bytes(17 << 20)), ZIPPED)]
)
def test_an_answer_without_end_is_cut_off(
    faulty_server: FaultyServer, store: TursoStore, fault: Fault
) -> None:
    faulty_server.fault = fault

    with pytest.raises((QueryFailed, StoreUnavailable), match="more than"):
        store.query("SELECT 1")


def test_a_server_that_is_not_there_is_told() -> None:
    store = TursoStore(f"http://127.0.0.1:{free_port()}", TOKEN)

    assert "nobody listens" in str(error_of(store))


def test_rows_whose_answer_was_lost_are_there_once(
    faulty_server: FaultyServer, open_sqld: TursoServer
) -> None:
    faulty_server.upstream = open_sqld.url
    store = TursoStore(faulty_server.url, seconds=5.0)
    store.migrate()
    batch = Batch({API_LOGS: [api_row(f"{n}") for n in range(20)]})

    faulty_server.fault = faults.loses_the_answer
    with pytest.raises(StoreUnavailable):
        store.insert(batch)
    faulty_server.fault = faults.passes
    again = store.insert(batch)

    assert again == Inserted(known=20)
    assert store.query("SELECT count(*) FROM api_logs").rows == [(20,)]
    store.close()


@pytest.mark.parametrize("token", ["", "wrong", "eyJhbGciOiJFZERTQSJ9.e30.AAAA"])
def test_a_wrong_token_is_refused_by_the_real_server(sqld: TursoServer, token: str) -> None:
    store = TursoStore(sqld.url, token)

    with pytest.raises(StoreRefused, match="does not take the token"):
        store.migrate()
    store.close()


def test_a_server_that_refuses_before_it_has_read_all_is_heard(sqld: TursoServer) -> None:
    store = TursoStore(sqld.url, "wrong")
    rows = [api_row("x" * 500_000) for _ in range(10)]

    for _ in range(3):
        with pytest.raises(StoreRefused, match="does not take the token"):
            store.insert(Batch({API_LOGS: rows}))
    store.close()


def test_the_token_may_stand_in_the_url(sqld: TursoServer) -> None:
    url = f"libsql://{sqld.url.removeprefix('http://')}?tls=0&authToken={sqld.token}"
    store = TursoStore(url)

    store.migrate()

    assert store.name == sqld.url.removeprefix("http://")
    store.close()


def test_connections_survive_a_restart_of_the_server(open_sqld: TursoServer) -> None:
    store = TursoStore(open_sqld.url)
    store.migrate()
    open_sqld.kill()
    with pytest.raises(StoreUnavailable):
        store.insert(Batch({API_LOGS: [api_row()]}))
    open_sqld.start()

    assert store.insert(Batch({API_LOGS: [api_row()]})) == Inserted(written=1)
    store.close()


def test_a_stopped_server_holds_up_its_caller_only(open_sqld: TursoServer) -> None:
    store = TursoStore(open_sqld.url, seconds=SECONDS)
    store.migrate()
    ticks = []
    open_sqld.pause()
    waiting = threading.Thread(target=error_of, args=(store,))
    waiting.start()
    while waiting.is_alive():
        started = time.perf_counter()
        time.sleep(0.001)
        ticks.append(time.perf_counter() - started)
    open_sqld.resume()

    assert len(ticks) > 50
    assert max(ticks) < SECONDS / 2
    store.close()


@forks
def test_a_forked_child_has_connections_of_its_own(open_sqld: TursoServer) -> None:
    store = TursoStore(open_sqld.url)
    store.migrate()
    child = os.fork()
    if child == 0:
        inserted = store.insert(Batch({API_LOGS: [api_row("child")]}))
        os._exit(0 if inserted.written == 1 else 1)
    for _ in range(20):
        store.insert(Batch({API_LOGS: [api_row("parent")]}))

    assert os.waitpid(child, 0)[1] == 0
    assert store.query("SELECT count(*) FROM api_logs").rows == [(21,)]
    store.close()


class TestAFork:
    pytestmark = forks

    def test_closes_no_file_that_has_the_number_of_its_parents_connection(
        self, open_sqld: TursoServer, tmp_path: Path
    ) -> None:
        store = TursoStore(open_sqld.url)
        store.query("SELECT 1")

        def work() -> None:
            os.closerange(3, 256)  # as a daemon does
            files = [os.open(tmp_path / "own", os.O_RDWR | os.O_CREAT) for _ in range(100)]
            store.query("SELECT 1")
            own = {(stat.st_ino, stat.st_size) for stat in map(os.fstat, files)}
            assert own == {((tmp_path / "own").stat().st_ino, 0)}

        assert child_does(work, while_held=contextlib.nullcontext())
        store.close()


@pytest.mark.parametrize(
    "url", ["", "turso.io", "ftp://db.turso.io", "https://", "http://host:port", "libsql:db"]
)
def test_what_is_no_url_of_a_server_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError):
        TursoStore(url)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("libsql://db.turso.io", "db.turso.io"),
        ("https://user:pass@db.turso.io:8443/x/?authToken=secret", "db.turso.io:8443"),
        ("http://[::1]:8080", "[::1]:8080"),
    ],
)
def test_a_store_is_known_by_its_host_and_not_by_its_secrets(url: str, name: str) -> None:
    assert TursoStore(url).name == name
