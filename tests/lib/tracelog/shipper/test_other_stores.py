"""Which store the delivered rows are in, after somebody has set another one."""

import logging
import shutil
import sys
from pathlib import Path

import orjson
import pytest

from app.lib.logger import EnhancedCSVLogger
from app.lib.tracelog.schema import API_LOGS
from app.lib.tracelog.shipper import checkpoint
from app.lib.tracelog.shipper.accounting import Account
from app.lib.tracelog.store.opening import address_of


def deliver(folder: Path, store: Path, rows: int) -> Account:
    """Record rows and have them delivered; the account at the end."""
    logger = EnhancedCSVLogger(f"file:{store}", base_path=folder)
    for n in range(rows):
        logger.log(None, API_LOGS, {"method": "GET", "endpoint": f"/{n}"})
    logger.start()
    logger.shipper.drain(20)
    account = logger.status()
    logger.close()
    assert account.shipped + account.pending == account.appended
    return account


def look(folder: Path, store: Path) -> tuple[int, int, tuple[str, ...]]:
    """How many rows were delivered, how many of them to other stores, and to which."""
    logger = EnhancedCSVLogger(f"file:{store}", base_path=folder)
    account = logger.status()
    logger.close()
    return account.shipped, account.elsewhere, account.other_stores


def test_rows_of_before_another_store_was_set_are_counted_apart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    logs, old, new = tmp_path / "logs", tmp_path / "old.db", tmp_path / "new.db"
    deliver(logs, old, 5)
    assert look(logs, old) == (5, 0, ())
    assert look(logs, new) == (5, 5, (str(old),))
    with caplog.at_level(logging.WARNING):
        deliver(logs, new, 3)
    assert [r.message for r in caplog.records] == [
        f"Rows go to {new} from now on; 5 are in another store, {old}, and stay there."
    ]
    assert look(logs, new) == (8, 5, (str(old),))


def test_whoever_goes_back_finds_all_that_was_delivered_there(tmp_path: Path) -> None:
    logs, first, second = tmp_path / "logs", tmp_path / "1.db", tmp_path / "2.db"
    deliver(logs, first, 5)
    deliver(logs, second, 3)
    deliver(logs, first, 1)
    assert look(logs, first) == (9, 3, (str(second),))
    assert look(logs, second) == (9, 6, (str(first),))


def test_a_store_to_which_nothing_was_delivered_is_not_named(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    deliver(logs, tmp_path / "1.db", 0)
    deliver(logs, tmp_path / "2.db", 2)
    assert look(logs, tmp_path / "3.db") == (2, 2, (str(tmp_path / "2.db"),))


def test_a_folder_that_was_moved_with_its_store_knows_it_again(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    deliver(here / "logs", here / "trace.db", 4)
    here.rename(there)
    assert look(there / "logs", there / "trace.db") == (4, 0, ())
    shutil.copytree(there, here)
    assert look(here / "logs", there / "trace.db") == (4, 4, (str(here / "trace.db"),))


@pytest.mark.skipif(sys.platform == "win32", reason="links take rights there")
def test_a_store_is_the_same_whichever_way_leads_to_it(tmp_path: Path) -> None:
    disk = tmp_path / "disk" / "of the host"
    disk.mkdir(parents=True)
    (tmp_path / "link").symlink_to(disk)
    deliver(disk / "logs", disk.parent / "trace.db", 4)
    assert look(tmp_path / "link" / "logs", disk.parent / "trace.db") == (4, 0, ())
    assert look(disk / "logs", tmp_path / "link" / ".." / "trace.db") == (4, 0, ())


def test_rows_of_an_older_version_are_taken_for_those_of_the_store_that_is_set(
    tmp_path: Path,
) -> None:
    logs, store = tmp_path / "logs", tmp_path / "trace.db"
    deliver(logs, store, 4)
    path = logs / checkpoint.FILE_NAME
    state = orjson.loads(path.read_bytes())
    for name in ("checksum", "store", "elsewhere"):
        state.pop(name)
    path.write_bytes(orjson.dumps({"checksum": checkpoint._checksum(state), **state}))
    assert look(logs, store) == (4, 0, ())
    assert deliver(logs, store, 1).elsewhere == 0
    assert look(logs, tmp_path / "new.db") == (5, 5, (str(store),))


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("libsql://db-me.turso.io", "db-me.turso.io"),
        ("libsql://DB-me.turso.io?authToken=secret", "db-me.turso.io"),
        ("https://user:secret@[::1]:8080/a/", "[::1]:8080/a"),
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("file:/srv/logs/trace.db", "file:trace.db"),
        ("file:/srv/trace.db", "file:../trace.db"),
        ("https://[none", ""),
    ],
)
def test_an_address_has_no_secrets(url: str, address: str) -> None:
    assert address_of(url, Path("/srv/logs")) == address


@pytest.mark.skipif(sys.platform == "win32", reason="links take rights there")
@pytest.mark.parametrize("url", ["https://[none", "file:{folder}/circle/trace.db"])
def test_rows_are_kept_also_where_the_store_s_url_leads_nowhere(tmp_path: Path, url: str) -> None:
    (tmp_path / "circle").symlink_to("circle")
    logger = EnhancedCSVLogger(url.format(folder=tmp_path), base_path=tmp_path / "logs")
    logger.log(None, API_LOGS, {"method": "GET", "endpoint": "/"})
    account = logger.status()
    logger.close(0)
    assert (account.appended, account.pending, account.other_stores) == (1, 1, ())
