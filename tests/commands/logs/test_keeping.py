"""`manage.py logs prune` and `quarantine`."""

import os
import time
from pathlib import Path

import pytest

from app.lib.logger import CSVOnlyLogger, EnhancedCSVLogger
from app.lib.tracelog import codec, ids
from app.lib.tracelog.schema import API_LOGS
from app.lib.tracelog.shipper.quarantine import Entry, Quarantine
from app.lib.tracelog.store.store import Batch, Store
from commands import logs
from tests.commands.logs.rows import AskLogs, identity, record
from tests.lib.tracelog.rows import API, api_row
from tests.support.processes import wait_until


def test_prune_deletes_what_is_old_or_too_much(
    folder: Path, store: Store, ask: AskLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = [api_row(row_id=ids.first_at(time.time() - 20 * 86_400) + n) for n in range(30)]
    store.insert(Batch({API_LOGS: old}))
    monkeypatch.setenv("LOG_RETENTION_DAYS", "0")
    monkeypatch.setenv("LOG_ERROR_RETENTION_DAYS", "0")
    assert ask("prune")["store"] == {"rows": 0, "too_large": False}
    monkeypatch.setenv("LOG_RETENTION_DAYS", "14")

    assert ask("prune")["store"]["rows"] == 30
    assert ask("prune")["store"]["rows"] == 0
    assert store.query("SELECT count(*) FROM api_logs").rows == [(0,)]


def test_prune_makes_room_in_the_folder(
    folder: Path, ask: AskLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = CSVOnlyLogger(folder, segment_bytes=20_000)
    for n in range(600):
        logger.log(None, API_LOGS, {"method": "GET", "endpoint": f"/{n}"})
    logger.close()
    for path in folder.glob("api_logs.*.csv"):
        os.utime(path, (time.time() - 60, time.time() - 60))  # nobody writes to it any more
    monkeypatch.setenv("LOG_MAX_BYTES", "30000")

    freed = ask("prune")["folder"]

    assert freed["files"] > 1
    assert freed["dropped"] > 100
    account = ask("status")
    assert identity(account) == (600, 0, 600 - freed["dropped"], 0, freed["dropped"], 0)


def test_prune_leaves_the_folder_to_the_process_that_delivers(
    folder: Path, ask: AskLogs, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = EnhancedCSVLogger(base_path=folder)
    logger.start()
    wait_until(lambda: logger.status().leader)

    assert ask("prune") == {"store": {"rows": 0, "too_large": False}, "folder": None}
    assert logs.main(["prune"]) == 0
    assert "looked after by the process that delivers" in capsys.readouterr().out
    logger.close()


@pytest.fixture
def damaged(folder: Path, ask: AskLogs) -> Path:
    """A log in which one row was torn, and one could not be read by an earlier version."""
    record(folder, 4)
    path = folder / "api_logs.csv"
    lines = path.read_bytes().split(b"\n")
    lines[2] = b"\0\0" + lines[2]
    path.write_bytes(b"\n".join(lines))
    ask("ship", "--once")
    return folder


def test_quarantine_lists_what_cannot_be_delivered_and_why(
    damaged: Path, ask: AskLogs, capsys: pytest.CaptureFixture[str]
) -> None:
    [entry] = ask("quarantine")
    assert logs.main(["quarantine"]) == 0

    assert entry["table"] == API_LOGS
    assert entry["reason"]
    shown = capsys.readouterr().out
    assert f"api_logs {entry['segment']}@{entry['start']}  {entry['reason']}" in shown
    assert "\\x00\\x00" in shown
    assert identity(ask("status"))[3] == 1


def test_retry_delivers_what_can_be_by_now(folder: Path, ask: AskLogs, store: Store) -> None:
    record(folder, 2)
    ask("ship", "--once")
    row = api_row("rejected once")
    line = codec.encode(API, row)
    entry = Quarantine(folder)
    entry.add([Entry("now", API_LOGS, 1, 0, len(line), "the server said no", line)])
    entry.add([Entry("now", API_LOGS, 1, 900, 903, "3 fields", b"a,b")])

    assert ask("quarantine", "--retry", code=1) == {"shipped": 1, "left": 1}

    assert store.query("SELECT count(*) FROM api_logs WHERE id = ?", (row[0],)).rows == [(1,)]
    assert [each["start"] for each in ask("quarantine")] == [900]


def test_discard_counts_as_dropped(damaged: Path, ask: AskLogs) -> None:
    before = identity(ask("status"))

    assert ask("quarantine", "--discard") == {"discarded": 1}

    assert ask("quarantine") == []
    after = identity(ask("status"))
    assert (before[3:5], after[3:5]) == ((1, 0), (0, 1))
    assert before[:3] + before[5:] == after[:3] + after[5:]
