"""Tasks and their steps, as a logger records them."""

import asyncio
import contextvars
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from app.lib.logger import EnhancedCSVLogger
from tests.lib.log_files import steps
from tests.lib.unspeakable import Mute, Unprintable


def test_a_step_records_start_progress_and_success(
    logger: EnhancedCSVLogger, tmp_path: Path
) -> None:
    async def work() -> None:
        async with logger.task("Item_Update") as task:
            async with task.step("Validation", input={"id": 7}) as step:
                step.progress(3, 10)
                step.output = {"ok": True}
            async with task.step("DB_Update"):
                pass

    asyncio.run(work())

    found = steps(tmp_path)
    assert [(s["step_name"], s["status"], s["execution_order"]) for s in found] == [
        ("Validation", "START", "1"),
        ("Validation", "IN_PROGRESS", "1"),
        ("Validation", "SUCCESS", "1"),
        ("DB_Update", "START", "2"),
        ("DB_Update", "SUCCESS", "2"),
    ]
    assert {s["task_name"] for s in found} == {"Item_Update"}
    assert len({s["trace_id"] for s in found}) == 1
    assert json.loads(found[0]["input_data"]) == {"id": 7}
    assert json.loads(found[1]["output_data"]) == {"done": 3, "total": 10}
    assert json.loads(found[2]["output_data"]) == {"ok": True}


def test_a_failing_step_is_recorded_and_its_exception_goes_on(
    logger: EnhancedCSVLogger, tmp_path: Path
) -> None:
    with (
        pytest.raises(LookupError, match="no such item"),
        logger.task("Item_Update") as task,
        task.step("Load"),
    ):
        raise LookupError("no such item")

    started, failed = steps(tmp_path)
    assert (started["status"], failed["status"]) == ("START", "FAILED")
    assert failed["error_message"] == "LookupError: no such item"
    assert Path(__file__).name in failed["stack_trace"]


@pytest.mark.parametrize("kind", [Mute, Unprintable])
def test_an_exception_without_words_is_recorded_and_goes_on(
    logger: EnhancedCSVLogger, tmp_path: Path, kind: type[Exception]
) -> None:
    with pytest.raises(kind), logger.task("Item_Update") as task, task.step("Load"):
        raise kind

    failed = steps(tmp_path)[-1]
    assert failed["step_name"] == "Load"
    assert failed["error_message"].startswith(kind.__name__)
    assert Path(__file__).name in failed["stack_trace"]


def test_a_task_in_a_generator_is_one_trace_in_whichever_context_it_goes_on(
    logger: EnhancedCSVLogger, tmp_path: Path
) -> None:
    def work() -> Iterator[int]:
        with logger.task("Export") as task:
            for name in ("Read", "Write"):
                with task.step(name):
                    yield 1

    # As a thread pool goes through it: each step in a copy of its own.
    pieces = work()
    while contextvars.copy_context().run(next, pieces, None):
        pass

    assert [row["status"] for row in steps(tmp_path)] == ["START", "SUCCESS"] * 2
    assert len({row["trace_id"] for row in steps(tmp_path)}) == 1


def test_steps_that_begin_at_the_same_moment_have_each_a_place_of_their_own(
    logger: EnhancedCSVLogger, tmp_path: Path
) -> None:
    class Name(str):
        __slots__ = ()

        def __hash__(self) -> int:
            both.wait(60)  # until the other thread is as far
            return super().__hash__()

    both = threading.Barrier(2)
    with logger.task("Fetch") as task, ThreadPoolExecutor(2) as pool:
        for work in [pool.submit(task.step, Name(name)) for name in ("Left", "Right")]:
            work.result()
        for name in ("Left", "Right", "Last"):
            with task.step(name):
                pass

    assert sorted({int(row["execution_order"]) for row in steps(tmp_path)}) == [1, 2, 3]


def test_a_retry_of_a_step_keeps_its_place(logger: EnhancedCSVLogger, tmp_path: Path) -> None:
    with logger.task("Sync") as task:
        with pytest.raises(TimeoutError), task.step("Call"):
            raise TimeoutError
        with task.step("Call"):
            pass
        with task.step("Store"):
            pass

    assert [(s["status"], s["execution_order"]) for s in steps(tmp_path)] == [
        ("START", "1"),
        ("FAILED", "1"),
        ("START", "1"),
        ("SUCCESS", "1"),
        ("START", "2"),
        ("SUCCESS", "2"),
    ]


def test_a_step_whose_name_is_none_hurts_nobodys_work(
    logger: EnhancedCSVLogger, tmp_path: Path
) -> None:
    name: Any = ["Fetch", 1]
    with logger.task(name) as task:
        with task.step(name) as step:
            step.progress(1)
        with task.step("Store"):
            pass
    with pytest.raises(TimeoutError), logger.task(name):
        raise TimeoutError

    assert [(s["step_name"], s["status"], s["execution_order"]) for s in steps(tmp_path)] == [
        ("['Fetch', 1]", "START", "1"),
        ("['Fetch', 1]", "IN_PROGRESS", "1"),
        ("['Fetch', 1]", "SUCCESS", "1"),
        ("Store", "START", "2"),
        ("Store", "SUCCESS", "2"),
        ("['Fetch', 1]", "FAILED", "1"),
    ]


def test_a_task_that_fails_between_its_steps_says_so(
    logger: EnhancedCSVLogger, tmp_path: Path
) -> None:
    def work() -> None:
        with logger.task("Sync") as task:
            with task.step("Call"):
                pass
            raise ValueError("between")

    with pytest.raises(ValueError, match="between"):
        work()

    last = steps(tmp_path)[-1]
    assert (last["step_name"], last["status"]) == ("Sync", "FAILED")


def test_a_cancelled_step_is_recorded_as_failed(logger: EnhancedCSVLogger, tmp_path: Path) -> None:
    async def work() -> None:
        async with logger.task("Sync") as task, task.step("Wait"):
            await asyncio.sleep(60)

    async def cancel() -> None:
        running = asyncio.create_task(work())
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(cancel())

    assert [s["status"] for s in steps(tmp_path)] == ["START", "FAILED"]
