"""The account of files and folders that are removed, away or not to be read."""

import errno
import os
import shutil
from pathlib import Path
from typing import IO, Any, NoReturn

import pytest

from app.lib.logger import EnhancedCSVLogger
from app.lib.tracelog.recorder import Recorder
from app.lib.tracelog.redaction.redactor import Redactor
from app.lib.tracelog.schema import API_LOGS, TASK_PROGRESS_LOGS
from app.lib.tracelog.shipper.accounting import Accountant
from app.lib.tracelog.shipper.shipper import Shipper
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from tests.lib.tracelog.shipper.accounts import log, numbers
from tests.support.turso import UNREACHABLE


def test_a_folder_that_cannot_be_read_is_shown_as_it_seems(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.write_text("a file is in the way")
    logger = EnhancedCSVLogger(UNREACHABLE, base_path=folder)
    log(logger, 2)

    assert numbers(logger.status()) == (2, 0, 0, 0, 2)
    logger.close(0)


def test_the_numbers_agree_after_the_log_folder_was_removed(tmp_path: Path) -> None:
    logger = EnhancedCSVLogger(f"file:{tmp_path}/trace.db", base_path=tmp_path / "logs")
    log(logger, 3)
    assert logger.shipper.drain(60)
    while (tmp_path / "logs").exists():
        # Whoever counts may put a file into it meanwhile.
        shutil.rmtree(tmp_path / "logs", ignore_errors=True)
    log(logger, 2)
    assert logger.shipper.drain(60)

    assert numbers(logger.status()) == (5, 5, 0, 0, 0)
    logger.close()
    assert numbers(logger.status()) == (5, 5, 0, 0, 0)


def test_the_numbers_agree_after_the_log_folder_was_away_and_is_back(tmp_path: Path) -> None:
    logs, away = tmp_path / "logs", tmp_path / "away"
    recorder = Recorder(logs, Redactor(), fsync="no")
    shipper = Shipper(logs, lambda: SQLiteStore(tmp_path / "trace.db"))

    def deliver_more(rows: int) -> None:
        for _ in range(rows):
            recorder.write(API_LOGS, lambda: {"method": "GET", "endpoint": "/"})
        while shipper.run_once():
            pass

    deliver_more(3)
    for rows in (2, 4):
        logs.rename(away)
        deliver_more(rows)
        logs.rename(tmp_path / f"meanwhile {rows}")
        away.rename(logs)
        deliver_more(1)

    account = Accountant(logs, recorder.tally).account()
    assert numbers(account) == (11, 11, 0, 0, 0)
    assert account.known == 0
    shipper.stop()
    recorder.close()


def test_what_is_no_file_in_the_folder_keeps_nobody_from_the_account(
    near: EnhancedCSVLogger, tmp_path: Path
) -> None:
    (tmp_path / "quarantine.jsonl").mkdir()
    (tmp_path / "api_logs.csv").mkdir()
    log(near, 2)
    log(near, 3, TASK_PROGRESS_LOGS)

    assert near.shipper.drain(60)
    assert numbers(near.status()) == (5, 3, 0, 0, 2)


@pytest.mark.parametrize("error", [errno.EACCES, errno.EIO])
def test_files_that_cannot_be_read_keep_only_their_own_rows(
    near: EnhancedCSVLogger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    forbidden = {tmp_path / "api_logs.csv", tmp_path / f"{TASK_PROGRESS_LOGS}.{10**18}.csv"}
    for path in forbidden:
        path.touch()
    open_path = Path.open

    def refuse(path: Path, *args: Any, **options: Any) -> IO[Any]:
        if path in forbidden:
            raise OSError(error, os.strerror(error), str(path))
        opened: IO[Any] = open_path(path, *args, **options)
        return opened

    # Not by their mode, which the superuser does not care for.
    monkeypatch.setattr(Path, "open", refuse)
    log(near, 2)
    log(near, 3, TASK_PROGRESS_LOGS)

    assert near.shipper.drain(60)
    assert numbers(near.status()) == (5, 3, 0, 0, 2)


def test_a_folder_that_may_not_be_entered_seems_empty(
    far: EnhancedCSVLogger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *_: object, **__: object) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    log(far, 1)
    with monkeypatch.context() as patch:
        for name in ("glob", "stat", "open"):
            patch.setattr(Path, name, refuse)
        patch.setattr(os, "scandir", refuse)
        assert far.status().pending == 0
    assert numbers(far.status()) == (1, 0, 1, 0, 0)
