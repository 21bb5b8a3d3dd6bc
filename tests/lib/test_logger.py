"""The logger as its users know it: the source document's calls, and tasks with steps."""

import asyncio
import contextlib
import contextvars
import csv
import errno
import itertools
import json
import logging
import os
import signal
import sys
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NoReturn

import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, Request
from fastapi.testclient import TestClient

from app.lib.logger import CSVOnlyLogger, EnhancedCSVLogger, NullLogger, TraceLogger
from app.lib.tracelog.journal.journal import Fsync, Journal
from app.lib.tracelog.journal.tally import Counts, Tally
from app.lib.tracelog.schema import TABLES
from app.lib.tracelog.shipper import shipper
from commands.kit.environment import ROOT
from tests.lib.tracelog.forks import child_does, forks
from tests.support.processes import finish, wait_until

UNREACHABLE = "libsql://your-db-name.invalid"


def rows(folder: Path, table: str) -> list[dict[str, str]]:
    path = folder / f"{table}.csv"
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class Mute(Exception):
    """An exception that cannot even say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class Unprintable(Exception):
    """Whoever prints it asks for this, and fails."""

    @property
    def __notes__(self) -> list[str]:  # type: ignore[override] # and so is foreign code
        raise RuntimeError("no notes")


class Unreadable(dict[str, object]):
    def items(self) -> NoReturn:
        raise Mute


def steps(folder: Path) -> list[dict[str, str]]:
    return rows(folder, "task_progress_logs")


@pytest.fixture
def logger(tmp_path: Path) -> Iterator[EnhancedCSVLogger]:
    logger = EnhancedCSVLogger(base_path=tmp_path)
    yield logger
    logger.close()


def test_two_threads_that_write_first_leave_one_that_forces_rows_to_the_disk(
    tmp_path: Path,
) -> None:
    def syncing() -> set[threading.Thread]:
        return {thread for thread in threading.enumerate() if thread.name == "tracelog-sync"}

    before = syncing()
    logger = CSVOnlyLogger(tmp_path)
    for _ in range(2):
        logger.recorder._start_syncer()
    wait_until(lambda: len(syncing() - before) == 1, what="the end of the other")
    logger.close()
    wait_until(lambda: not syncing() - before, what="the end of both")


def test_what_fails_for_once_does_not_end_the_thread_that_forces_rows_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Journal] = []

    def sync(journal: Journal) -> None:
        calls.append(journal)
        if len(calls) == 1:
            raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr(Journal, "sync", sync)
    logger = CSVOnlyLogger(tmp_path)
    logger.log(None, "api_logs", {"method": "GET", "endpoint": "/"})

    wait_until(lambda: len(calls) == 3, what="the next second's")
    logger.close()


def test_threads_that_write_first_at_once_leave_one_that_delivers(
    logger: EnhancedCSVLogger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def delivering() -> set[threading.Thread]:
        return {thread for thread in threading.enumerate() if thread.name == "tracelog-shipper"}

    def write() -> None:
        logger.log(None, "api_logs", {"method": "GET", "endpoint": "/"})

    def write_meanwhile() -> None:
        monkeypatch.undo()
        other = threading.Thread(target=write)
        other.start()
        other.join()

    before = delivering()
    monkeypatch.setattr(shipper, "take_short_turns", write_meanwhile)
    write()
    assert len(rows(tmp_path, "api_logs")) == 2
    assert len(delivering() - before) == 1


def test_the_log_stays_where_it_is_when_the_app_goes_to_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path)
    logger = EnhancedCSVLogger("file:store/trace.db", base_path="logs")
    logger.log(None, "api_logs", {"method": "GET", "endpoint": "/1"})
    monkeypatch.chdir("there")
    logger.log(None, "api_logs", {"method": "GET", "endpoint": "/2"})
    logger.close(60)

    assert [row["endpoint"] for row in rows(tmp_path / "logs", "api_logs")] == ["/1", "/2"]
    assert logger.status().shipped == 2
    assert not [*(tmp_path / "there").iterdir()]


FINALIZER = """
import sys
from app.lib.logger import CSVOnlyLogger, EnhancedCSVLogger

class Last:
    def __init__(self, logger):
        self.logger = logger
    def __del__(self):
        self.logger.log(None, "api_logs", {"method": "GET", "endpoint": "/last"})

logger = {"csv": CSVOnlyLogger, "store": EnhancedCSVLogger}[sys.argv[1]](base_path=sys.argv[2])
if sys.argv[3:]:
    logger.log(None, "api_logs", {"method": "GET", "endpoint": "/first"})
last = Last(logger)
"""


@pytest.mark.parametrize("first", [["first"], []])
@pytest.mark.parametrize("kind", ["csv", "store"])
def test_what_a_finalizer_logs_when_python_ends_does_not_keep_it_from_ending(
    tmp_path: Path, kind: str, first: list[str]
) -> None:
    command = [sys.executable, "-c", FINALIZER, kind, str(tmp_path), *first]

    assert finish(command, os.environ, ROOT, 60).stdout == ""

    expected = [f"/{name}" for name in (*first, "last")]
    assert [row["endpoint"] for row in rows(tmp_path, "api_logs")] == expected
    assert Tally(tmp_path).totals() == Counts(appended=len(expected))


def test_the_file_of_the_logger_before_this_one_is_left_alone(
    logger: EnhancedCSVLogger, tmp_path: Path
) -> None:
    header = "trace_id,method,endpoint,created_at"
    theirs = "\n".join([header, *["t,GET,/,2026-11-23 09:00:00.000"] * 50]) + "\n"
    (tmp_path / "api_logs.csv").write_text(theirs)
    logger.start()
    logger.log(None, "api_logs", {"method": "GET", "endpoint": "/"})
    logger.close(60)

    account = logger.status()
    assert (account.appended, account.shipped, account.unaccounted) == (1, 1, 0)
    assert next(tmp_path.glob("api_logs.other-*.csv")).read_text() == theirs


class TestASignal:
    pytestmark = forks

    @pytest.mark.parametrize("closes", [False, True])
    @pytest.mark.parametrize("fsync", ["everysec", "always"])
    def test_whose_handler_logs_may_interrupt_whatever_the_logger_does(
        self, tmp_path: Path, fsync: Fsync, closes: bool
    ) -> None:
        def work() -> None:
            logger = EnhancedCSVLogger(base_path=tmp_path, fsync=fsync, segment_bytes=10_000)
            written: Counter[str] = Counter()

            def write(who: str) -> None:
                logger.log(None, "task_progress_logs", {"task_name": who, "status": "SUCCESS"})
                written[who] += 1

            handling: list[object] = []

            def handle(*_: object) -> None:
                # Not within itself: what it does may take longer than the next signal.
                if not handling:
                    handling.append(1)
                    if closes:
                        logger.close(0)
                    write("handler")
                    handling.clear()

            signal.signal(signal.SIGVTALRM, handle)
            signal.setitimer(signal.ITIMER_VIRTUAL, 0.001, 0.001)
            while written["handler"] < 100:
                write("main")
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            logger.close(60)
            account = logger.status()
            assert account.appended == account.shipped == written.total()

        assert child_does(work, while_held=contextlib.nullcontext())

    @pytest.mark.parametrize("what", ["close", "status"])
    def test_whose_handler_does_the_same_may_interrupt_it_at_any_call(
        self, tmp_path: Path, what: str
    ) -> None:
        def work() -> None:
            logger = EnhancedCSVLogger(base_path=tmp_path)
            do = {"close": lambda: logger.close(0), "status": logger.status}[what]
            logger.start()
            assert logger.shipper.drain(60)
            for number in itertools.count(1):
                logger.log(None, "api_logs", {"method": "GET", "endpoint": "/"})
                if not is_interrupted(do, number, do):
                    break
            logger.start()
            logger.close(60)
            assert logger.status().shipped == number

        assert child_does(work, while_held=contextlib.nullcontext())


def is_interrupted(work: Callable[[], object], at: int, by: Callable[[], object]) -> bool:
    """Do `work`, and the other in the middle of it, where a signal's handler may come: at this
    one of its calls. Whether there are so many, but for those of accounting, which reads files."""
    left, reading = at, 0

    def look(frame: FrameType, event: str, _: object) -> None:
        nonlocal left, reading
        if frame.f_code.co_name in {"_table", "totals"}:
            reading += {"call": 1, "return": -1}.get(event, 0)
        if not reading and event in {"call", "c_return"}:
            left -= 1
            if left == 0:
                sys.setprofile(None)
                by()

    sys.setprofile(look)
    try:
        work()
    finally:
        sys.setprofile(None)
    return left <= 0


class TestAFork:
    pytestmark = forks

    def test_while_another_thread_opens_the_store_does_not_stop_the_child(
        self, logger: EnhancedCSVLogger
    ) -> None:
        def work() -> None:
            logger.log(None, "api_logs", {"method": "GET", "endpoint": "/"})
            logger.close(0)

        assert child_does(work, while_held=logger._lock)

    def test_closes_no_file_that_has_the_number_of_one_of_its_parents(
        self, logger: EnhancedCSVLogger, tmp_path: Path
    ) -> None:
        def work() -> None:
            # As a daemon does.
            os.closerange(3, 256)
            files = [os.open(tmp_path / "own", os.O_RDWR | os.O_CREAT) for _ in range(100)]
            logger.log(None, "api_logs", {"method": "GET", "endpoint": "/child"})
            logger.close(0)
            own = {(stat.st_ino, stat.st_size) for stat in map(os.fstat, files)}
            assert own == {((tmp_path / "own").stat().st_ino, 0)}

        logger.log(None, "api_logs", {"method": "GET", "endpoint": "/"})
        wait_until(lambda: logger.status().shipped == 1, what="the row")

        assert child_does(work, while_held=contextlib.nullcontext())
        assert len(rows(tmp_path, "api_logs")) == 2


# --- the source document's own calls ---------------------------------------------------------


class ItemService:
    """The source document's service, which knows `log` and nothing else of the logger."""

    def __init__(self, logger: EnhancedCSVLogger) -> None:
        self.logger = logger

    async def do_complex_job(self, trace_id: str, background_tasks: BackgroundTasks) -> None:
        self.logger.log(
            background_tasks,
            "task_progress_logs",
            {
                "trace_id": trace_id,
                "task_name": "Item_Update",
                "step_name": "DB_Update_Start",
                "status": "SUCCESS",
            },
        )


def sample_app(logger: EnhancedCSVLogger) -> FastAPI:
    """The source document's bare app, call for call."""
    app = FastAPI()

    def get_logger() -> EnhancedCSVLogger:
        return logger

    @app.post("/execute-ai-task")
    async def execute_task(request: Request, background_tasks: BackgroundTasks) -> dict[str, str]:
        trace_id = str(uuid.uuid4())
        assert request.client
        logger.log(
            background_tasks,
            "api_logs",
            {
                "trace_id": trace_id,
                "method": "POST",
                "endpoint": "/execute-ai-task",
                "request_header": dict(request.headers),
                "request_body": {"item_id": 101},
                "ip_address": request.client.host,
            },
        )
        logger.log(
            background_tasks,
            "task_progress_logs",
            {
                "trace_id": trace_id,
                "task_name": "AI_Refinement",
                "step_name": "Fetch_Data",
                "status": "SUCCESS",
                "execution_order": 1,
            },
        )
        logger.log(
            background_tasks,
            "task_progress_logs",
            {
                "trace_id": trace_id,
                "task_name": "AI_Refinement",
                "step_name": "AI_Generation",
                "status": "IN_PROGRESS",
                "input_data": {"text": "修正前の文章"},
                "execution_order": 2,
            },
        )
        return {"status": "accepted", "trace_id": trace_id}

    @app.post("/items")
    async def create_item(
        background_tasks: BackgroundTasks,
        logger: Annotated[EnhancedCSVLogger, Depends(get_logger)],
    ) -> dict[str, str]:
        trace_id = str(uuid.uuid4())
        await ItemService(logger).do_complex_job(trace_id, background_tasks)
        return {"trace_id": trace_id}

    return app


def test_the_source_documents_sample_reaches_csv_and_store(
    logger: EnhancedCSVLogger, tmp_path: Path
) -> None:
    client = TestClient(sample_app(logger))

    trace_id = client.post("/execute-ai-task").json()["trace_id"]
    client.post("/items")

    [api] = rows(tmp_path, "api_logs")
    assert api["trace_id"] == trace_id
    assert json.loads(api["request_header"])["host"] == "testserver"
    assert json.loads(api["request_body"]) == {"item_id": 101}
    assert [s["step_name"] for s in steps(tmp_path)] == [
        "Fetch_Data",
        "AI_Generation",
        "DB_Update_Start",
    ]
    assert json.loads(steps(tmp_path)[1]["input_data"]) == {"text": "修正前の文章"}
    sql = "SELECT count(*) FROM task_progress_logs"
    wait_until(lambda: delivered(logger, sql) == 3, what="the delivery of three rows")
    assert delivered(logger, "SELECT count(*) FROM api_logs") == 1


def delivered(logger: EnhancedCSVLogger, sql: str) -> int:
    try:
        return int(logger.store.query(sql).rows[0][0] or 0)
    except Exception:  # noqa: BLE001 # the tables are not there before the first delivery
        return -1


def test_with_the_network_down_the_csv_still_has_the_rows(tmp_path: Path) -> None:
    logger = EnhancedCSVLogger(
        turso_url=UNREACHABLE, turso_token="your-auth-token", base_path=str(tmp_path)
    )
    with TestClient(sample_app(logger)) as client:
        assert client.post("/execute-ai-task").json()["status"] == "accepted"

    assert len(rows(tmp_path, "api_logs")) == 1
    assert len(steps(tmp_path)) == 2
    logger.close(timeout=0.1)


def test_the_header_of_each_file_is_the_table(logger: EnhancedCSVLogger, tmp_path: Path) -> None:
    for name, table in TABLES.items():
        logger.log(None, name, {})
        header = (tmp_path / f"{name}.csv").read_text().splitlines()[0]
        assert header == ",".join(table.column_names)


def test_the_callers_dictionary_stays_as_it_was(logger: EnhancedCSVLogger) -> None:
    data = {"task_name": "T", "step_name": "S", "status": "START", "input_data": {"password": "x"}}
    before = json.dumps(data)

    logger.log(BackgroundTasks(), "task_progress_logs", data)

    assert json.dumps(data) == before


@pytest.mark.parametrize(
    ("table", "data"),
    [
        ("no_such_table", {}),
        ("api_logs", {"method": object(), "duration_ms": "soon", "created_at": "never"}),
        ("task_progress_logs", {"input_data": {1: {2}}, "execution_order": float("nan")}),
        ("task_progress_logs", {"input_data": "\ud800", "error_message": "\x00\r"}),
        ("task_progress_logs", None),
        ("task_progress_logs", Unreadable()),
    ],
)
def test_nothing_that_is_logged_raises(
    logger: EnhancedCSVLogger, table: str, data: dict[str, object]
) -> None:
    logger.log(None, table, data)

    counts = logger.recorder.tally.totals()
    assert counts.appended + counts.dropped == 1


def test_a_loss_that_cannot_be_told_is_counted_all_the_same(
    logger: EnhancedCSVLogger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: logging.LogRecord) -> bool:
        raise LookupError("a filter of the app's")

    monkeypatch.setattr(logging.getLogger("tracelog"), "filters", [fail])

    logger.log(None, "no_such_table", {})

    assert logger.recorder.tally.totals().dropped == 1


def test_a_number_too_long_to_be_written_is_told_by_its_size(
    logger: EnhancedCSVLogger, tmp_path: Path
) -> None:
    huge = 10**5000
    logger.log(None, "task_progress_logs", {"input_data": huge, "execution_order": huge})

    (row,) = steps(tmp_path)
    assert json.loads(row["input_data"]) == "int of 16610 bits"
    assert json.loads(row["output_data"]) == {":extra": {"execution_order": "int of 16610 bits"}}


def test_rows_wait_for_a_thread_while_none_is_to_be_had(
    logger: EnhancedCSVLogger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        for _ in range(2):
            logger.log(None, "task_progress_logs", {"task_name": "T"})
    assert len(steps(tmp_path)) == 2

    logger.log(None, "task_progress_logs", {"task_name": "T"})

    assert logger.shipper.drain(60)
    assert logger.store.query("SELECT count(*) FROM task_progress_logs").rows == [(3,)]


def test_secrets_given_to_the_logger_do_not_reach_the_disk(
    logger: EnhancedCSVLogger, tmp_path: Path
) -> None:
    logger.log(
        None,
        "task_progress_logs",
        {
            "task_name": "T",
            "step_name": "S",
            "status": "FAILED",
            "input_data": {"user": {"password": "s3cr3t-1"}, "visible": "yes"},
            "output_data": '{"access_token": "s3cr3t-2"}',
            "error_message": "postgres://app:s3cr3t-3@db/app refused",
            "client_secret": "s3cr3t-4",
        },
    )

    text = (tmp_path / "task_progress_logs.csv").read_text()
    assert "s3cr3t" not in text
    assert "visible" in text


# --- tasks and steps -------------------------------------------------------------------------


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
    assert "test_logger.py" in failed["stack_trace"]


@pytest.mark.parametrize("kind", [Mute, Unprintable])
def test_an_exception_without_words_is_recorded_and_goes_on(
    logger: EnhancedCSVLogger, tmp_path: Path, kind: type[Exception]
) -> None:
    with pytest.raises(kind), logger.task("Item_Update") as task, task.step("Load"):
        raise kind

    failed = steps(tmp_path)[-1]
    assert failed["step_name"] == "Load"
    assert failed["error_message"].startswith(kind.__name__)
    assert "test_logger.py" in failed["stack_trace"]


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


# --- loggers that stand in -------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["null", "csv"])
def test_other_loggers_replace_it_through_dependency_overrides(tmp_path: Path, kind: str) -> None:
    def get_logger() -> TraceLogger:
        raise AssertionError("must be overridden")

    app = FastAPI()

    @app.get("/")
    async def work(logger: Annotated[TraceLogger, Depends(get_logger)]) -> str:
        async with logger.task("T") as task, task.step("S") as step:
            step.progress(1)
        return "done"

    stand_in = NullLogger() if kind == "null" else CSVOnlyLogger(tmp_path)
    app.dependency_overrides[get_logger] = lambda: stand_in

    assert TestClient(app).get("/").json() == "done"
    assert [s["status"] for s in steps(tmp_path)] == (
        [] if kind == "null" else ["START", "IN_PROGRESS", "SUCCESS"]
    )
    assert not (tmp_path / "trace.db").exists()
