"""What is deleted of the store, when, and what is not."""

from app.lib.tracelog import ids
from app.lib.tracelog.schema import TASK_PROGRESS_LOGS, Row
from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Result, Store
from app.lib.tracelog.upkeep.retention import DAY, Retention, Rules, horizon, used_bytes
from tests.lib.tracelog.aged import EVERYTHING, NOW, fill, left, request, step


def prune(store: Store, rules: Rules, *, now: float = NOW, chunk_rows: int = 500) -> int:
    retention = Retention(store, rules, chunk_rows=chunk_rows, clock=lambda: now)
    return sum(chunk.rows for chunk in retention.run())


def ids_of(*rows: Row) -> list[int]:
    return sorted(row[0] for row in rows if isinstance(row[0], int))


def test_rows_go_after_their_days_and_those_of_failed_traces_later(store: Store) -> None:
    old, young = request(14.1), request(13.9)
    failed, failed_long_ago = request(14.1, 500), request(90.1, 503)
    refused = request(14.1, 404)
    unfinished = request(20, None)
    fill(store, [old, young, failed, failed_long_ago, refused, unfinished])

    assert prune(store, Rules()) == 4

    assert left(store) == ids_of(failed, young)


def test_the_rows_of_a_failed_trace_stay_together(store: Store) -> None:
    by_status = [request(20, 200, "a"), request(20.1, 500, "a"), request(20.2, 302, "a")]
    by_step = [request(20, 200, "b")]
    steps = [step(20, "START", "b"), step(20.1, "FAILED", "b"), step(21, "SUCCESS", "a")]
    fill(store, [*by_status, *by_step, request(20, 200, "c")], [*steps, step(22, "SUCCESS", "c")])

    assert prune(store, Rules(), chunk_rows=2) == 2

    assert left(store) == ids_of(*by_status, *by_step)
    assert left(store, TASK_PROGRESS_LOGS) == ids_of(*steps)
    assert prune(store, Rules(), now=NOW + 70 * DAY) == 6 + 1
    assert left(store) == left(store, TASK_PROGRESS_LOGS) == []


def test_zero_days_is_for_ever(store: Store) -> None:
    rows = [request(1000), request(1000, 500)]
    fill(store, rows)

    assert prune(store, EVERYTHING) == 0
    assert prune(store, Rules(0, 90, 0, 0)) == 2


def test_rows_of_failed_traces_do_not_go_before_others(store: Store) -> None:
    kept = [request(20), request(20, 500)]
    fill(store, [*kept, request(31), request(31, 500)])

    assert prune(store, Rules(days=30, error_days=7)) == 2
    assert left(store) == ids_of(*kept)


def test_rows_go_some_at_a_time(store: Store) -> None:
    fill(store, [request(20 + n / 1000) for n in range(95)], [step(20, "SUCCESS", "x")])

    chunks = list(Retention(store, Rules(), chunk_rows=10, clock=lambda: NOW).run())

    assert max(chunk.rows for chunk in chunks) <= 20
    assert sum(chunk.rows for chunk in chunks) == 96
    assert [chunk.position for chunk in chunks] == sorted(chunk.position for chunk in chunks)


def test_the_next_run_goes_on_where_the_last_one_was_and_once_a_day_from_the_start(
    store: Store,
) -> None:
    fill(store, [request(20 + n) for n in range(3)])
    assert prune(store, Rules()) == 3
    assert horizon(store).normal_to == ids.first_at(NOW - 14 * DAY) - 1
    late = request(30)
    fill(store, [late, request(14)])

    assert prune(store, Rules(), now=NOW + 3600) == 1
    assert left(store) == ids_of(late)
    assert prune(store, Rules(), now=NOW + DAY + 1) == 1


def test_a_clock_that_was_years_ahead_for_a_moment_ends_nothing(store: Store) -> None:
    prune(store, Rules(), now=NOW + 3000 * DAY)
    fill(store, [request(20)])

    assert Retention(store, Rules(), clock=lambda: NOW).is_due()
    assert prune(store, Rules()) == 1
    assert not Retention(store, Rules(), clock=lambda: NOW).is_due()


def test_of_several_hosts_one_looks_through_the_rows(store: Store) -> None:
    one, other = (Retention(store, Rules(), clock=lambda: NOW) for _ in range(2))
    assert one.is_due()
    list(one.run())

    assert not one.is_due()
    assert not other.is_due()
    assert Retention(store, Rules(), clock=lambda: NOW + 3601).is_due()


def test_rows_that_others_made_are_left_alone(store: Store) -> None:
    theirs = (1, *request(1000)[1:])
    fill(store, [theirs, request(1000)])

    assert prune(store, Rules(1, 1, 1, 0)) == 1
    assert left(store) == [1]


def test_a_store_that_is_too_large_loses_its_oldest_rows(store: Store) -> None:
    rows = [request(3 - n / 1000, 500 if n % 10 == 0 else 200, size=2_000) for n in range(1000)]
    fill(store, rows)
    before = used_bytes(store)
    most = before - 500_000

    deleted = prune(store, Rules(14, 90, most, 0), chunk_rows=50)

    assert 100 <= deleted <= 250
    assert most - 200_000 < used_bytes(store) <= most
    kept = left(store)
    assert kept[-1] == rows[-1][0]
    # Rows without failure go first.
    assert set(ids_of(*rows[::10])) < set(kept)
    assert horizon(store).all_to == 0


def test_failed_traces_make_room_as_well_and_the_last_hour_never_does(store: Store) -> None:
    rows = [request(1 - n / 1000, 500, size=2_000) for n in range(200)]
    young = [request(0.5 / 24, 500, size=2_000) for _ in range(50)]
    fill(store, rows + young)
    retention = Retention(store, Rules(14, 90, 1, 0), clock=lambda: NOW)

    assert sum(chunk.rows for chunk in retention.run()) == 200

    assert left(store) == ids_of(*young)
    assert retention.too_large
    assert horizon(store).all_to >= int(str(rows[-1][0]))


def test_a_trace_with_very_many_rows_is_looked_up_by_its_index(file_store: SQLiteStore) -> None:
    plans: list[str] = []

    class Watching:
        def query(self, sql: str, args: tuple[int, ...] = (), *, timeout: float = 10.0) -> Result:
            if sql.startswith(("WITH", "SELECT")):
                plan = file_store.query(f"EXPLAIN QUERY PLAN {sql}", args)
                plans.extend(str(row[3]) for row in plan.rows)
            return file_store.query(sql, args, timeout=timeout)

        def __getattr__(self, name: str) -> object:
            return getattr(file_store, name)

    fill(file_store, [request(20, trace="same") for _ in range(50)])
    prune(Watching(), Rules())  # type: ignore[arg-type]

    scans = [plan for plan in plans if plan.startswith("SCAN")]
    assert scans
    assert not [plan for plan in scans if "chunk" not in plan and "logs" in plan]
    assert not [plan for plan in plans if "idx_api_logs_status" in plan]
