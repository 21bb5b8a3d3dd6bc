"""Connections to Turso's servers: how they come about, and what becomes of those that are kept."""

import select
import socket
import struct
import threading
from collections.abc import Iterator

import orjson
import pytest

from app.lib.tracelog.store.store import StoreUnavailable
from app.lib.tracelog.store.turso_store import TursoStore
from tests.support import faulty_server as faults
from tests.support.faulty_server import Exchange, Fault, FaultyServer

STEP = {"cols": [{"name": "1"}], "rows": [[{"type": "integer", "value": "1"}]]}
RESULT = {"step_results": [STEP] * 3, "step_errors": [None] * 3}
ANSWER = faults.answers(
    200, orjson.dumps({"results": [{"type": "ok", "response": {"result": RESULT}}]})
)


@pytest.fixture(params=["poll", "select"])
def store(
    faulty_server: FaultyServer, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TursoStore]:
    if request.param == "select":
        monkeypatch.delattr(select, "poll", raising=False)  # Windows has none
    store = TursoStore(faulty_server.url)
    yield store
    store.close()


@pytest.mark.parametrize("resets", [False, True])
def test_a_question_that_a_kept_connection_has_lost_is_asked_again(
    faulty_server: FaultyServer, store: TursoStore, *, resets: bool
) -> None:
    def answers_once(exchange: Exchange) -> None:
        ANSWER(exchange)
        if faulty_server.requests == 1:
            # Nothing comes any more from a client that has gone.
            while (heard := exchange.client.recv(1 << 16)) and b"SELECT" not in heard:
                pass
            linger = struct.pack("ii", resets, 0)
            exchange.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    faulty_server.fault = answers_once

    for _ in range(2):
        assert store.query("SELECT 1").rows == [(1,)]
    assert faulty_server.requests == 2


def test_what_a_server_says_unasked_is_no_answer(
    faulty_server: FaultyServer, store: TursoStore
) -> None:
    """Some say that the time is up before they close a connection on which nothing comes."""
    heard, said = threading.Event(), threading.Event()

    def says_more(exchange: Exchange) -> None:
        ANSWER(exchange)
        if faulty_server.requests == 1:
            heard.wait(60)
            faults.answers(408)(exchange)
            said.set()
            exchange.closing.wait()

    faulty_server.fault = says_more
    store.query("SELECT 1")
    heard.set()
    assert said.wait(60)

    assert store.query("SELECT 1").rows == [(1,)]


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (faults.answers(407), "407"),
        (faults.hangs_up, "RemoteDisconnected"),
        (faults.is_silent, "did not answer in time"),
    ],
)
def test_a_proxy_that_does_not_pass_a_question_on_is_told(
    faulty_server: FaultyServer, monkeypatch: pytest.MonkeyPatch, fault: Fault, says: str
) -> None:
    faulty_server.fault = fault
    monkeypatch.setenv("https_proxy", faulty_server.url)
    monkeypatch.setenv("no_proxy", "")

    with pytest.raises(StoreUnavailable, match=says):
        TursoStore("libsql://db.example").query("SELECT 1", timeout=0.2)
    assert faulty_server.requests == 1
