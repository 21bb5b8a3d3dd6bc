"""Steps are recorded in their places, under the trace of their task and no longer than that."""

import pytest

from app.lib.tracelog.steps import Task
from app.lib.tracelog.trace import Trace, current_trace, use_trace

written: list[dict[str, object]] = []


@pytest.fixture
def task() -> Task:
    written.clear()
    return Task("Sync", lambda row, _: written.append(dict(row)))


def test_a_step_has_its_place_from_when_it_is_made(task: Task) -> None:
    with task:
        first, second = task.step("Fetch"), task.step("Store")
        with second, first:
            pass

    places = [(row["step_name"], row["execution_order"]) for row in written]
    assert places == [("Store", 2), ("Fetch", 1), ("Fetch", 1), ("Store", 2)]


def test_a_task_without_a_trace_around_it_has_one_of_its_own_until_it_ends(task: Task) -> None:
    assert task.trace_id == ""
    with task:
        assert current_trace() is not None
        with task.step("Fetch"):
            pass

    assert current_trace() is None
    assert task.trace_id != ""
    assert [row["trace_id"] for row in written] == [task.trace_id] * 2


def test_a_task_within_a_trace_is_a_part_of_it(task: Task) -> None:
    with use_trace(Trace("around")) as trace:
        assert task.trace_id == "around"
        with task, task.step("Fetch") as step:
            step.progress(1)
        assert current_trace() is trace

    assert [row["trace_id"] for row in written] == ["around"] * 3
    # Steps that end well are no failure of it.
    assert not trace.failed


def test_steps_of_a_task_that_nobody_has_begun_are_recorded_all_the_same(task: Task) -> None:
    with pytest.raises(TimeoutError), task.step("Fetch"):
        raise TimeoutError

    assert [row["status"] for row in written] == ["START", "FAILED"]
