"""The logger as its users know it: the source document's calls, which never raise."""

import json
import logging
import threading
import uuid
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, Request
from fastapi.testclient import TestClient

from app.lib.logger import CSVOnlyLogger, EnhancedCSVLogger, NullLogger, TraceLogger
from app.lib.tracelog.schema import TABLES
from tests.lib.log_files import rows, steps
from tests.lib.unspeakable import Unreadable
from tests.support.processes import wait_until
from tests.support.turso import UNREACHABLE


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
