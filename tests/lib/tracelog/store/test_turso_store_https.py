"""Turso's servers behind https and proxies."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.lib.tracelog.schema import API_LOGS
from app.lib.tracelog.store import transport
from app.lib.tracelog.store.store import Batch, StoreUnavailable
from app.lib.tracelog.store.turso_store import TursoStore
from tests.lib.tracelog.rows import api_row
from tests.support.tls import Relay, make_certificate, proxy, tls_in_front_of
from tests.support.turso import TursoServer


@pytest.fixture
def https(open_sqld: TursoServer, tmp_path: Path) -> Iterator[Relay]:
    """A real server behind HTTPS, with a certificate that nobody knows."""
    port = int(open_sqld.url.rpartition(":")[2])
    relay = tls_in_front_of(port, make_certificate(tmp_path))
    yield relay
    relay.close()


def test_rows_and_long_answers_go_through_https(
    https: Relay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    store = TursoStore(f"libsql://{https.address}")
    store.migrate()
    rows = [api_row("x" * 9_000) for _ in range(100)]

    store.insert(Batch({API_LOGS: rows}))

    assert store.query("SELECT response_body FROM api_logs").rows == [(row[7],) for row in rows]
    assert https.connections == 1
    store.close()


def test_nothing_is_lost_or_sent_twice_where_https_is_slow(
    https: Relay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    waits: list[float] = []
    monkeypatch.setattr(transport, "_WAIT_SECONDS", 0.0001)
    monkeypatch.setattr(transport, "use_the_wait", waits.append)
    store = TursoStore(f"libsql://{https.address}")
    store.migrate()
    rows = [api_row("x" * 90_000) for _ in range(30)]

    store.insert(Batch({API_LOGS: rows}))

    assert store.query("SELECT response_body FROM api_logs").rows == [(row[7],) for row in rows]
    assert waits
    store.close()


def test_a_certificate_that_nobody_knows_is_not_trusted(https: Relay) -> None:
    store = TursoStore(f"libsql://{https.address}")

    with pytest.raises(StoreUnavailable, match="certificate cannot be trusted"):
        store.query("SELECT 1")


@pytest.mark.parametrize("scheme", ["http://", ""])
@pytest.mark.parametrize(("without", "connections"), [("", 1), ("127.0.0.1", 0)])
def test_a_proxy_of_the_environment_is_used_for_https_but_where_it_says_otherwise(
    https: Relay,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    scheme: str,
    without: str,
    connections: int,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    monkeypatch.setenv("no_proxy", without)
    with closing(proxy()) as relay:
        monkeypatch.setenv("https_proxy", f"{scheme}user:p%40ss@{relay.address}")
        with closing(TursoStore(f"libsql://{https.address}")) as store:
            assert store.query("SELECT 1").rows == [(1,)]
        assert relay.connections == connections
