"""A store, or a way to it, that fails in the ways of servers and networks."""

import random

import pytest

from app.lib.tracelog.rollup import tables as rollup
from app.lib.tracelog.store.sql import Statement
from tests.faults.ledger import account_of
from tests.faults.scene import Scene
from tests.faults.store_faults import FAULTS
from tests.support import faulty_server as faults
from tests.support.faulty_server import FaultyServer
from tests.support.turso import TursoServer


def test_a_way_to_the_server_that_fails_in_every_way_in_turn(
    scene: Scene, open_sqld: TursoServer, faulty_server: FaultyServer
) -> None:
    """Rows are written throughout, and each fault meets some of them."""
    scene.url = faulty_server.upstream = open_sqld.url
    names = list(FAULTS)
    random.Random(3).shuffle(names)
    options = ("--batch-rows", "200", "--seconds", "0.3")
    deliverer = scene.deliverer("deliverer", *options, url=faulty_server.url)
    writer = scene.writer("w", "--pause", "0.001", deliver=False)
    for name in names:
        written, requests, shipped = scene.ledger.total(), faulty_server.requests, scene.shipped()
        faulty_server.fault = FAULTS[name]
        scene.wait_for(lambda n=requests: faulty_server.requests > n + 1, name)  # type: ignore[misc]
        scene.wait_for(lambda n=written: scene.ledger.total() > n + 50, name)  # type: ignore[misc]
        faulty_server.fault = faults.passes
        scene.wait_for(lambda n=shipped: scene.shipped() > n, f"delivery after: {name}")  # type: ignore[misc]

    scene.stop(writer, deliverer)
    scene.settle()
    scene.check()
    assert account_of(scene.log_dir).known > 0


def test_rows_wait_for_the_right_token(scene: Scene, sqld: TursoServer) -> None:
    scene.url, scene.token = sqld.url, "wrong"
    writer = scene.writer("w", "--rows", "50", "--stay", "--close", "0.2")
    scene.wait_for(lambda: account_of(scene.log_dir).state == "refused", "the refusal")
    scene.wait_for(lambda: scene.ledger.total() == 50, "all rows")
    assert account_of(scene.log_dir).pending == 50
    scene.stop(writer)
    scene.token = sqld.token

    scene.settle()

    scene.check()


def test_one_poisoned_row_in_500_lies_in_quarantine_and_the_others_arrive(
    scene: Scene, open_sqld: TursoServer
) -> None:
    scene.url = open_sqld.url
    poison = (
        "CREATE TRIGGER poison BEFORE INSERT ON api_logs WHEN NEW.endpoint = '/w/w/333'"
        " BEGIN SELECT RAISE(ABORT, 'constraint failed: we want no such row'); END"
    )
    scene.store.migrate()
    scene.store.transact([Statement(poison)])
    scene.writer("w", "--rows", "500", "--pause", "0", deliver=False).wait()

    scene.settle()

    scene.check()
    account = account_of(scene.log_dir)
    assert (account.shipped, account.quarantined) == (499, 1)


@pytest.mark.parametrize(
    "damage", [f"DROP TABLE {rollup.NAMES[0]}", "ALTER TABLE api_logs DROP COLUMN user_id"]
)
def test_a_table_or_a_column_that_is_dropped_comes_back_and_no_row_is_lost(
    scene: Scene, open_sqld: TursoServer, damage: str
) -> None:
    scene.url = open_sqld.url
    writer = scene.writer("w", "--pause", "0.002")
    scene.wait_for(lambda: scene.shipped() > 50, "rows")

    scene.store.transact([Statement(damage)])

    many = scene.ledger.total() + 200
    scene.wait_for(lambda: scene.ledger.total() > many, "more rows")
    scene.stop(writer)
    scene.settle()
    scene.check()
