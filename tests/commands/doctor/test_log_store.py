"""The doctor at the log's store: a real sqld, and the local file."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest

from app.config import Settings
from app.lib.logger import EnhancedCSVLogger
from app.lib.tracelog.store.sql import Statement
from app.trace_log import make_store
from commands.kit.doctor.finding import Finding
from commands.kit.doctor.log_store import log_store
from tests.support.turso import TursoServer


def look(settings: Settings) -> dict[str, Finding]:
    return {finding.name: finding for finding in log_store(settings)}


@pytest.mark.sqld
def test_a_round_trip_leaves_nothing_behind(sqld: TursoServer) -> None:
    settings = Settings(turso_url=sqld.url, turso_token=sqld.token)
    store = make_store(settings)
    store.migrate()
    before = store.query("SELECT name FROM sqlite_master ORDER BY name").rows

    found = look(settings)

    assert {name: finding.state for name, finding in found.items()} == {
        "Log token": "ok",
        "Log store": "ok",
        "Log tables": "ok",
    }
    assert store.query("SELECT name FROM sqlite_master ORDER BY name").rows == before
    store.close()


def test_rows_in_a_store_that_was_set_before_are_told_of(tmp_path: Path) -> None:
    for name in ("before.db", "now.db"):
        url = f"file:{tmp_path / name}"
        logger = EnhancedCSVLogger(url, base_path=tmp_path / "logs")
        logger.log(None, "api_logs", {"method": "GET", "endpoint": "/"})
        logger.close()

        found = list(log_store(Settings(turso_url=url, log_dir=tmp_path / "logs")))
        told = [finding.state for finding in found if "before.db." in finding.text]
        assert told == (["note"] if name == "now.db" else [])


@pytest.mark.sqld
def test_tables_that_lack_a_column_are_told(open_sqld: TursoServer) -> None:
    settings = Settings(turso_url=open_sqld.url)
    assert look(settings)["Log tables"].text == "made with the first row"
    store = make_store(settings)
    store.migrate()
    store.transact([Statement("ALTER TABLE task_progress_logs DROP COLUMN stack_trace")])
    store.close()

    found = look(settings)["Log tables"]

    assert (found.state, "task_progress_logs.stack_trace" in found.text) == ("note", True)


@pytest.mark.sqld
def test_a_server_that_refuses_a_token_is_told_beside_what_that_says(sqld: TursoServer) -> None:
    ended = jwt.encode({"exp": datetime(2020, 1, 1, tzinfo=UTC)}, "k" * 32, algorithm="HS256")

    found = look(Settings(turso_url=sqld.url, turso_token=ended))

    assert {name: finding.state for name, finding in found.items()} == {
        "Log token": "wrong",
        "Log store": "note",
    }
    assert "2020-01-01" in found["Log token"].text


@pytest.mark.parametrize("claims", ["[1]", '"x"', '{"exp": "soon"}', '{"exp": 1e30}', "null"])
@pytest.mark.sqld
def test_a_token_of_another_kind_says_nothing(open_sqld: TursoServer, claims: str) -> None:
    middle = base64.urlsafe_b64encode(claims.encode()).decode().rstrip("=")

    found = look(Settings(turso_url=open_sqld.url, turso_token=f"a.{middle}.b"))

    assert set(found) == {"Log store", "Log tables"}


@pytest.mark.sqld
def test_a_server_that_is_away_is_a_note(sqld: TursoServer) -> None:
    sqld.kill()

    found = look(Settings(turso_url=sqld.url, turso_token=sqld.token))

    assert found["Log store"].state == "note"


@pytest.mark.parametrize(
    ("claims", "state", "words"),
    [
        ({"a": "ro"}, "wrong", "may only read"),
        ({"exp": datetime.now(UTC) + timedelta(days=5)}, "note", "ends on"),
        ({"exp": datetime.now(UTC) + timedelta(days=50)}, "ok", "ends on"),
        ({"exp": datetime.now(UTC) - timedelta(days=2)}, "wrong", "ended on"),
    ],
)
@pytest.mark.sqld
def test_what_a_token_says_of_itself(
    open_sqld: TursoServer, claims: dict[str, object], state: str, words: str
) -> None:
    token = jwt.encode(claims, "k" * 32, algorithm="HS256")

    found = look(Settings(turso_url=open_sqld.url, turso_token=token))["Log token"]

    assert (found.state, words in found.text) == (state, True)


def test_a_local_file_is_not_made_by_looking(tmp_path: Path) -> None:
    settings = Settings(log_dir=tmp_path)
    assert look(settings)["Log store"].text == "made with the first row"
    assert not list(tmp_path.iterdir())

    store = make_store(settings)
    store.migrate()
    store.close()

    assert {finding.state for finding in look(settings).values()} == {"ok"}
