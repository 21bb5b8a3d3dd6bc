"""Turso's servers: `sqld`, and the `tursodb` of the newer engine."""

from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from commands.kit.parts import sqld_path, tursodb_path
from tests.support.parts import needs
from tests.support.processes import Program, answers, free_port

UNREACHABLE = "libsql://your-db-name.invalid"
_MEND = "`python3 manage.py test` installs it with npm; there is none for every system"


class TursoServer(Program):
    """A server that keeps its data over restarts. `token` is empty where it wants none."""

    def __init__(self, command: list[str], folder: Path, port: int, token: str = "") -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.token = token
        super().__init__(
            command, ready=lambda: answers(f"{self.url}/health"), log=folder / "server.log"
        )


def open_server(folder: Path) -> TursoServer | None:
    """An `sqld` that lets in everybody, not started yet; None where there is no such program."""
    port = free_port()
    if sqld_path() is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    return TursoServer(_sqld_command(folder, port), folder, port)


def _sqld_command(folder: Path, port: int) -> list[str]:
    program = sqld_path()
    needs("sqld", there=program is not None, mend=_MEND)
    listen = ["--http-listen-addr", f"127.0.0.1:{port}"]
    return [str(program), "-d", str(folder / "data.sqld"), *listen, "--no-welcome"]


def _serve(server: TursoServer) -> Iterator[TursoServer]:
    server.start()
    yield server
    server.kill()


@pytest.fixture
def sqld(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TursoServer]:
    """A fresh `sqld` that lets in only who has its `token`. It is up in 50 ms."""
    folder, port = tmp_path_factory.mktemp("sqld"), free_port()
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "jwt.pem").write_bytes(public)
    command = [*_sqld_command(folder, port), "--auth-jwt-key-file", str(folder / "jwt.pem")]
    token = jwt.encode({"a": "rw"}, key, algorithm="EdDSA")
    yield from _serve(TursoServer(command, folder, port, token))


@pytest.fixture
def open_sqld(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TursoServer]:
    """A fresh `sqld` that lets in everybody."""
    folder, port = tmp_path_factory.mktemp("sqld"), free_port()
    yield from _serve(TursoServer(_sqld_command(folder, port), folder, port))


@pytest.fixture
def tursodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TursoServer]:
    """A fresh `tursodb --sync-server`; it knows fewer requests than `sqld` and no tokens."""
    folder, port = tmp_path_factory.mktemp("tursodb"), free_port()
    program = tursodb_path()
    needs("tursodb", there=program is not None, mend=_MEND)
    address = f"127.0.0.1:{port}"
    command = [str(program), "--sync-server", address, str(folder / "data.db")]
    yield from _serve(TursoServer(command, folder, port))
