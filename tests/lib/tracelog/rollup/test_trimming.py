"""What goes with the rows that retention deletes, and what outlives them."""

from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.upkeep.retention import DAY, Retention, Rules
from tests.lib.tracelog.rollup.sums import ask, part
from tests.services.log_book import START, LogBook


def test_what_people_have_said_of_a_failure_outlives_all_its_rows(file_store: SQLiteStore) -> None:
    book = LogBook()
    for step in ("ignored", "noted", "neither"):
        book.after(1).step("Report", step, "FAILED", error_message="no")
    file_store.insert(part(book))
    groups = "UPDATE tracelog_errors SET"
    file_store.transact(
        [
            Statement(f"{groups} state = 'ignored' WHERE step = 'ignored'"),
            Statement(f"{groups} note = 'known' WHERE step = 'noted'"),
        ]
    )

    later = START.timestamp() + 100 * DAY
    list(Retention(file_store, Rules(), clock=lambda: later).run())

    assert ask(file_store, "SELECT step FROM tracelog_errors ORDER BY step") == [
        ("ignored",),
        ("noted",),
    ]
    for table in ("runs", "run_sums", "error_sums", "error_hits", "step_sums"):
        assert ask(file_store, f"SELECT count(*) FROM tracelog_{table}") == [(0,)]
