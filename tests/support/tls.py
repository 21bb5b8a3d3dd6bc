"""HTTPS in front of a test's server, and a proxy in front of that."""

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def make_certificate(folder: Path) -> Path:
    """A PEM file with a key and a certificate for 127.0.0.1 that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test server")])
    now = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


class Relay:
    """Passes connections on; `open_far_side` prepares the near one and opens the far one."""

    def __init__(
        self, open_far_side: Callable[[socket.socket], tuple[socket.socket, socket.socket]]
    ) -> None:
        self._open = open_far_side
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.connections = 0
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        for each in [self._listener, *self._sockets]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        for each in [self._listener, *self._sockets]:
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self._sockets.append(near)
                self._start(self._serve, near)

    def _start(self, work: Callable[..., None], *args: socket.socket) -> None:
        thread = threading.Thread(target=work, args=args)
        self._threads.append(thread)
        thread.start()

    def _serve(self, near: socket.socket) -> None:
        with contextlib.suppress(OSError):
            near, far = self._open(near)
            self.connections += 1
            self._sockets += [near, far]
            self._start(_pass_on, far, near)
            _pass_on(near, far)


def tls_in_front_of(port: int, certificate: Path) -> Relay:
    """An HTTPS server whose requests the HTTP server on `port` answers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def open_far_side(near: socket.socket) -> tuple[socket.socket, socket.socket]:
        near = context.wrap_socket(near, server_side=True)
        return near, socket.create_connection(("127.0.0.1", port))

    return Relay(open_far_side)


def proxy() -> Relay:
    """A proxy that knows CONNECT and nothing else, and takes it from `user` with `p@ss`."""

    def open_far_side(near: socket.socket) -> tuple[socket.socket, socket.socket]:
        head = b""
        while b"\r\n\r\n" not in head:
            head += near.recv(1)
        method, target, _ = head.split(b" ", 2)
        assert method == b"CONNECT"
        assert b"\r\nProxy-Authorization: Basic dXNlcjpwQHNz\r\n" in head
        host, _, port = target.decode().partition(":")
        far = socket.create_connection((host, int(port)))
        near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        return near, far

    return Relay(open_far_side)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
