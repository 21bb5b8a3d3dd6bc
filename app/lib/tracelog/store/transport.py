"""HTTP POST with a deadline over the whole call, for small JSON protocols.

Common clients limit the wait for each piece of an answer, so that a server which sends a byte now
and then holds them for ever. Here every read and write gets what is left of the call's time. A
call costs about a quarter of the processor time that httpx takes for it, which counts because the
shipper shares its process with the app.
"""

import contextlib
import http.client
import io
import select
import socket
import ssl
import time
import zlib
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import certifi

from app.lib.tracelog.forks import renew_after_forks
from app.lib.tracelog.short_turns import give_way, use_the_wait

CONNECT_SECONDS: Final = 5.0
_MOST_IDLE: Final = 4
_SEND_BYTES: Final = 1 << 18
_WAIT_SECONDS: Final = 0.5


class TransportError(Exception):
    """No whole answer came. Whether the request had an effect is not known."""


class TooLarge(TransportError):
    """The answer is larger than the caller allows."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; `retry_after` is the header of that name."""

    status: int
    body: bytes
    retry_after: str | None = None


class Transport:
    """Posts to one server, from any thread, keeping a few connections open.

    A request may reach the server twice, so it must be one that does no harm when repeated.

    `origin` is `http://host[:port]` or `https://host[:port]`; for https, `HTTPS_PROXY` and
    `NO_PROXY` of the environment hold.
    """

    def __init__(self, origin: str) -> None:
        parts = urlsplit(origin)
        self._host = parts.hostname or ""
        self._tls = parts.scheme == "https"
        self._port = parts.port or (443 if self._tls else 80)
        self._proxy = _proxy_for(self._host) if self._tls else None
        self._context = _tls_context() if self._tls else None
        # A deque needs no lock, which a fork in another thread could leave held in the child.
        self._idle: deque[_Connection] = deque()
        renew_after_forks(self)

    def post(
        self,
        path: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        seconds: float,
        max_bytes: int,
    ) -> Answer:
        """The server's answer, whatever its status. Raises `TransportError`.

        The call ends within `seconds`; only looking up the host's name is not in our hands, nor how
        long a proxy takes that lets us through byte by byte. The answer's body, unpacked, has at
        most `max_bytes`.
        """
        deadline = time.monotonic() + seconds
        connection = self._take()
        while True:
            kept = connection is not None
            connection = connection or self._connect(deadline)
            try:
                answer = connection.post(path, body, headers, deadline, max_bytes)
            except _Gone as gone:
                connection.close()
                connection = None
                if kept:
                    # The server had closed the connection while it lay idle.
                    continue
                raise TransportError(f"the server closed the connection ({gone})") from None
            # Whatever it was goes on; what is left of the answer must not meet the next request.
            except BaseException:
                connection.close()
                raise
            if connection.reusable:
                self._give_back(connection)
            else:
                connection.close()
            return answer

    def close(self) -> None:
        while (connection := self._take()) is not None:
            connection.close()

    def _connect(self, deadline: float) -> "_Connection":
        host, port = self._proxy[:2] if self._proxy else (self._host, self._port)
        client: http.client.HTTPConnection
        with contextlib.ExitStack() as stack:
            try:
                if self._context is not None:
                    client = http.client.HTTPSConnection(host, port, context=self._context)
                else:
                    client = http.client.HTTPConnection(host, port)
                # Its own one gives each of a host's addresses the whole time, one after the other.
                client._create_connection = lambda address, *_: _dial(address, deadline)  # type: ignore[attr-defined]
                stack.callback(client.close)
                if self._proxy:
                    client.set_tunnel(self._host, self._port, self._proxy[2])
                client.connect()
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise TransportError(_reason(error)) from None
            stack.pop_all()
        return _Connection(client)

    def _take(self) -> "_Connection | None":
        with contextlib.suppress(IndexError):
            while True:
                connection = self._idle.pop()
                if connection.is_alive():
                    return connection
                connection.close()
        return None

    def renew_after_fork(self) -> None:
        # Its sockets are the parent's. Their copies are closed at once: later the numbers of those
        # may be other files'.
        while self._idle:
            self._idle.pop().close()

    def _give_back(self, connection: "_Connection") -> None:
        if len(self._idle) < _MOST_IDLE:
            self._idle.append(connection)
        else:
            connection.close()


class _Gone(Exception):
    """The connection ended before any of the answer came."""


class _Connection:
    """An open connection to the server."""

    def __init__(self, client: http.client.HTTPConnection) -> None:
        self._client = client
        self._socket: socket.socket = client.sock
        self._wire = _Wire(self._socket)
        client.sock = self._wire
        self.reusable = False

    def post(
        self, path: str, body: bytes, headers: Mapping[str, str], deadline: float, max_bytes: int
    ) -> Answer:
        self._wire.deadline = deadline
        try:
            with contextlib.suppress(ConnectionError):
                self._client.request("POST", path, body, dict(headers))
            # A server may say no before it has read all, and close; its answer is there even so.
            response = self._client.getresponse()
        except ConnectionError as error:
            raise _Gone(_reason(error)) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise TransportError(_reason(error)) from None
        try:
            data = response.read(max_bytes + 1)
            if len(data) > max_bytes:
                raise TooLarge(f"the answer has more than {max_bytes} bytes")
            if response.length:
                raise TransportError("the answer was cut short")
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise TransportError(_reason(error)) from None
        self.reusable = not response.will_close
        if response.headers.get("Content-Encoding", "").lower() == "gzip":
            data = _unpack(data, max_bytes)
        return Answer(response.status, data, response.headers.get("Retry-After"))

    def is_alive(self) -> bool:
        """Whether the server has neither closed it nor sent what nobody asked for."""
        try:
            if hasattr(select, "poll"):
                poll = select.poll()
                poll.register(self._socket, select.POLLIN)
                return not poll.poll(0)
            return not select.select([self._socket], [], [], 0)[0]
        except (OSError, ValueError):
            return False

    def close(self) -> None:
        self._client.close()
        self._socket.close()


class _Wire:
    """A socket for `http.client` whose every read and write ends at `deadline`."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self.deadline = 0.0

    def sendall(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._in_time(self._socket.send, view[:_SEND_BYTES]) :]

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_WireReader(self), 1 << 16)

    def recv_into(self, buffer: "memoryview | bytearray") -> int:
        count = self._in_time(self._socket.recv_into, buffer)
        give_way()
        return count

    def _in_time(
        self, call: "Callable[[memoryview | bytearray], int]", data: "memoryview | bytearray"
    ) -> int:
        began = time.monotonic()
        while True:
            self._socket.settimeout(min(_left(self.deadline), _WAIT_SECONDS))
            with contextlib.suppress(TimeoutError):
                return call(data)
            use_the_wait(time.monotonic() - began)

    def close(self) -> None:
        """Called by `http.client` before it reads the answer; the connection closes the socket."""


class _WireReader(io.RawIOBase):
    def __init__(self, wire: _Wire) -> None:
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._wire.recv_into(buffer)


def _dial(address: tuple[str, int], deadline: float) -> socket.socket:
    """A connection to the first of a host's addresses that takes one. Raises `OSError`.

    Each of them gets its part of the time.
    """
    found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)
    for left, (*_, where) in zip(range(len(found), 0, -1), found, strict=True):
        seconds = min(CONNECT_SECONDS, _left(deadline) / left)
        try:
            host = socket.getnameinfo(where, socket.NI_NUMERICHOST)[0]
            connected = socket.create_connection((host, address[1]), seconds)
        except OSError:
            if left == 1:
                raise
        else:
            connected.settimeout(min(CONNECT_SECONDS, _left(deadline)))
            return connected
    raise OSError("the host has no address")


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    if isinstance(error, (socket.gaierror, UnicodeError)):
        # The second says that no name can be like that.
        return "there is no such host"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate cannot be trusted ({error.verify_message})"
    text = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _unpack(data: bytes, max_bytes: int) -> bytes:
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        unpacked = unpacker.decompress(data, max_bytes + 1)
    except zlib.error:
        raise TransportError("the answer is no valid gzip") from None
    if len(unpacked) > max_bytes:
        raise TooLarge(f"the answer has more than {max_bytes} bytes")
    if not unpacker.eof:
        raise TransportError("the answer was cut short")
    return unpacked


def _tls_context() -> ssl.SSLContext:
    # The system's own certificates (a company's proxy may need them) and certifi's (Python from
    # python.org has none of its own on macOS).
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _proxy_for(host: str) -> tuple[str, int, dict[str, str]] | None:
    url = getproxies().get("https")
    if not url or proxy_bypass(host):
        return None
    parts = urlsplit(url if "//" in url else f"//{url}")
    headers = {}
    if parts.username:
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Proxy-Authorization"] = f"Basic {b64encode(user.encode()).decode()}"
    return parts.hostname or "", parts.port or 80, headers
