"""An HTTP server that misbehaves in the ways that networks and servers do."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, whole, as it came from `client`; `closing` is set when the server ends."""

    client: socket.socket
    request: bytes
    upstream: str
    closing: threading.Event

    def forward(self) -> bytes:
        """What the real server answers to it."""
        parts = urlsplit(self.upstream)
        with socket.create_connection((parts.hostname or "", parts.port or 80), 10) as server:
            server.sendall(self.request)
            return _read_message(server)


Fault = Callable[[Exchange], None]


def passes(exchange: Exchange) -> None:
    """No fault: the real server's answer."""
    exchange.client.sendall(exchange.forward())


def is_silent(exchange: Exchange) -> None:
    exchange.closing.wait()


def hangs_up(exchange: Exchange) -> None:
    """Closes the connection without an answer."""


def speaks_otherwise(exchange: Exchange) -> None:
    exchange.client.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")


def loses_the_answer(exchange: Exchange) -> None:
    """The real server did what was asked, and nobody hears of it."""
    exchange.forward()


def resets_in_mid_answer(exchange: Exchange) -> None:
    exchange.client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + b"x" * 100)
    exchange.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def ends_in_mid_answer(exchange: Exchange) -> None:
    """As a server does that is stopped: what came of its answer is no reason to believe it."""
    exchange.client.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 500\r\n\r\nno")


def drips_headers(exchange: Exchange) -> None:
    exchange.client.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    _drip(exchange)


def drips_the_body(exchange: Exchange) -> None:
    exchange.client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    _drip(exchange)


def never_ends(exchange: Exchange) -> None:
    exchange.client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not exchange.closing.is_set():
        exchange.client.sendall(b"x" * 100_000)


def answers(status: int, body: bytes = b"", *headers: bytes) -> Fault:
    """A fault: always this answer."""

    def fault(exchange: Exchange) -> None:
        head = [b"HTTP/1.1 %d Said" % status, b"Content-Length: %d" % len(body), *headers]
        exchange.client.sendall(b"\r\n".join(head) + b"\r\n\r\n" + body)

    return fault


def answers_an_sql_error(message: str, code: str = "UNKNOWN") -> Fault:
    """A fault: status 200 with an error inside, as Hrana has it."""
    error = f'{{"message":"{message}","code":"{code}"}}'
    return answers(200, f'{{"results":[{{"type":"error","error":{error}}}]}}'.encode())


class FaultyServer:
    """Treats every request as `fault` says, which may be changed at any time."""

    def __init__(self, upstream: str = "") -> None:
        self.fault: Fault = passes
        self.upstream = upstream
        self.requests = 0
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]
        self._clients: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads[0].start()

    def close(self) -> None:
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for client in self._clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._clients.append(client)
            thread = threading.Thread(target=self._serve, args=(client,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        """One request a connection, so that a fault is never met by a kept one."""
        with client, contextlib.suppress(OSError):
            if request := _read_message(client):
                self.requests += 1
                self.fault(Exchange(client, request, self.upstream, self._closing))


def _drip(exchange: Exchange) -> None:
    while not exchange.closing.wait(0.02):
        exchange.client.sendall(b"x")


def _read_message(sock: socket.socket) -> bytes:
    """A whole HTTP message, headers and body."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := sock.recv(65536)):
            return data
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head.lower():
        while not body.endswith(b"0\r\n\r\n") and (more := sock.recv(65536)):
            body += more
    elif b"content-length:" in head.lower():
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(body) < length and (more := sock.recv(65536)):
            body += more
    return head + b"\r\n\r\n" + body


@pytest.fixture
def faulty_server() -> Iterator[FaultyServer]:
    """A server of no use yet; give it an `upstream` and a `fault`."""
    server = FaultyServer()
    yield server
    server.close()
