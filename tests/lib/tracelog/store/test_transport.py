"""A call to a server ends in its time, also where the way there is long."""

import contextlib
import socket
import sys
import time
from collections.abc import Iterator

import pytest

from app.lib.tracelog.store.transport import Transport, TransportError
from tests.support import faulty_server as faults
from tests.support.faulty_server import FaultyServer

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere a host has no other addresses of its own"
)
HOST = "logs.example"


@pytest.fixture
def dead(faulty_server: FaultyServer) -> Iterator[list[str]]:
    """Addresses at which nobody says anything, not even that nobody is there."""
    port = int(faulty_server.url.rpartition(":")[2])
    addresses = [f"127.0.0.{number}" for number in (2, 3, 4)]
    with contextlib.ExitStack() as stack:
        for address in addresses:
            full = stack.enter_context(socket.socket())
            full.bind((address, port))
            full.listen(0)
            for _ in range(3):
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex((address, port))
        yield addresses


def resolve_to(addresses: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    look_up = socket.getaddrinfo

    def answer(host: str, port: int, *more: int, **options: int) -> list[object]:
        names = addresses if host == HOST else [host]
        return [found for name in names for found in look_up(name, port, *more, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


def test_a_host_of_which_no_address_answers_holds_a_call_up_no_longer_than_it_may_take(
    faulty_server: FaultyServer, dead: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(dead, monkeypatch)
    transport = Transport(faulty_server.url.replace("127.0.0.1", HOST))
    began = time.monotonic()

    with pytest.raises(TransportError, match="in time"):
        transport.post("/", b"", {}, seconds=1.0, max_bytes=1_000)

    assert time.monotonic() - began < 2.0


def test_an_address_that_answers_is_reached_behind_those_that_do_not(
    faulty_server: FaultyServer, dead: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to([*dead, "127.0.0.1"], monkeypatch)
    faulty_server.fault = faults.answers(200, b"here")
    transport = Transport(faulty_server.url.replace("127.0.0.1", HOST))

    answer = transport.post("/", b"", {}, seconds=2.0, max_bytes=1_000)

    assert answer.body == b"here"
    transport.close()


def test_an_address_that_holds_at_one_interface_only_keeps_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    called = list[str]()

    def connect(address: tuple[str, int], _: float) -> socket.socket:
        called.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)

    with pytest.raises(TransportError, match="nobody listens"):
        Transport("http://[fe80::1%lo]:8080").post("/", b"", {}, seconds=1.0, max_bytes=1_000)

    assert called == ["fe80::1%lo"]
