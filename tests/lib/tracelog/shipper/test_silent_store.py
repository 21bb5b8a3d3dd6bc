"""A store that takes its time, and what is looked after meanwhile."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.lib.tracelog.shipper.accounting import Accountant
from app.lib.tracelog.shipper.shipper import Shipper
from app.lib.tracelog.store.turso_store import TursoStore
from app.lib.tracelog.upkeep.housekeeping import Housekeeper
from app.lib.tracelog.upkeep.room import size_of
from tests.lib.tracelog.aged import Folder, room_for
from tests.support import faulty_server as faults
from tests.support.faulty_server import Exchange, FaultyServer
from tests.support.processes import wait_until
from tests.support.turso import TursoServer


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    """Eight files of ten rows each."""
    folder = Folder(tmp_path)
    for day in range(8, 0, -1):
        folder.seal(day)
    yield folder
    folder.store.close()


def test_the_folder_keeps_its_limit_while_the_store_does_not_answer(
    folder: Folder, faulty_server: FaultyServer, open_sqld: TursoServer
) -> None:
    """The answer comes after all: what was under way is in the store, and was not dropped."""
    may_answer = threading.Event()

    def answers_late(exchange: Exchange) -> None:
        may_answer.wait()
        faults.passes(exchange)

    faulty_server.upstream, faulty_server.fault = open_sqld.url, answers_late
    rules = room_for(folder, 4)
    shipper = Shipper(
        folder.path,
        lambda: TursoStore(faulty_server.url, seconds=600.0),
        batch_rows=15,
        housekeeper=Housekeeper(folder.path, rules, Accountant(folder.path, folder.tally)),
    )
    shipper.start()
    try:
        wait_until(lambda: size_of(folder.path) <= rules.folder_bytes)
        assert faulty_server.requests == 1
    finally:
        may_answer.set()
    assert shipper.drain(60)
    shipper.stop()

    # The first two files were under way.
    assert folder.numbers() == (40, 0, 40, 0)
    store = TursoStore(open_sqld.url)
    assert store.query("SELECT count(*) FROM api_logs").rows == [(40,)]
    store.close()
