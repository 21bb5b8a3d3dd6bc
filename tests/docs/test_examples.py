"""The code in README and in docs/trace-log.md runs, and does what the text around it says."""

import asyncio
import csv
import inspect
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.lib.logger import EnhancedCSVLogger
from tests.docs.examples import examples, load


@pytest.fixture
def logger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EnhancedCSVLogger]:
    """A logger of the current folder, as an app started there has it."""
    monkeypatch.chdir(tmp_path)
    logger = EnhancedCSVLogger()
    yield logger
    logger.close()


def steps() -> list[tuple[str, str, str, str]]:
    with Path("logs/task_progress_logs.csv").open(encoding="utf-8", newline="") as file:
        return [
            (row["task_name"], row["step_name"], row["status"], row["execution_order"])
            for row in csv.DictReader(file)
        ]


def record_a_failure(logger: EnhancedCSVLogger, trace_id: str) -> None:
    """A request that ended with 500, and its step that failed."""
    logger.log(
        None,
        "api_logs",
        {
            "trace_id": trace_id,
            "method": "GET",
            "endpoint": "/cakes/1",
            "request_header": {":route": "/cakes/{cake_id}"},
            "response_status": 500,
            "duration_ms": 40,
        },
    )
    with pytest.raises(ValueError, match="burnt"), logger.task("Bake") as task, task.step("Oven"):
        raise ValueError("burnt\nto the ground")


def test_readme_logs_a_row_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code = examples("README.md", "python")[0]
    assert code.count("libsql://your-db.turso.io") == 1
    # Nothing is sent to anybody's database.
    app = load(code.replace("libsql://your-db.turso.io", ""))
    with TestClient(app["app"]) as client:
        answer = client.post("/refine/101").json()
    app["logger"].close()

    assert steps() == [("AI_Refinement", "Fetch_Data", "SUCCESS", "1")]
    with closing(sqlite3.connect("logs/trace.db")) as store:
        rows = store.execute("SELECT trace_id, input_data FROM task_progress_logs").fetchall()
    assert rows == [(answer["trace_id"], '{"item_id":101}')]


@pytest.mark.parametrize(("document", "place"), [("README.md", 1), ("docs/trace-log.md", 2)])
def test_tasks_record_their_steps(logger: EnhancedCSVLogger, document: str, place: int) -> None:
    refine = load(examples(document, "python")[place], EnhancedCSVLogger=EnhancedCSVLogger)[
        "refine"
    ]
    assert inspect.iscoroutinefunction(refine)

    asyncio.run(refine(logger, 101))

    order = [status for *_, status, _ in steps()]
    assert order == ["START", *(["IN_PROGRESS"] if place == 2 else []), "SUCCESS"]
    assert {step[:2] + step[3:] for step in steps()} == {("AI_Refinement", "Fetch_Data", "1")}


def test_the_files_are_read_with_python(
    logger: EnhancedCSVLogger, capsys: pytest.CaptureFixture[str]
) -> None:
    record_a_failure(logger, "2f0f3c0e-3d53-4f4c-8a52-5d8fd9f6ad11")
    limit = csv.field_size_limit()
    by_csv, by_codec, _ = examples("docs/trace-log.md", "python")

    load(by_csv)
    assert "2f0f3c0e-3d53-4f4c-8a52-5d8fd9f6ad11 /cakes/{cake_id}\n" in capsys.readouterr().out
    csv.field_size_limit(limit)

    load(by_codec)
    printed = capsys.readouterr().out
    assert printed.startswith("Traceback (most recent call last):\n")
    assert "ValueError: burnt\nto the ground\n" in printed


def test_the_store_is_asked_with_sql(logger: EnhancedCSVLogger) -> None:
    trace_id = "00000000-0000-4000-8000-000000000000"
    record_a_failure(logger, trace_id)
    logger.log(
        None,
        "task_progress_logs",
        {"trace_id": trace_id, "task_name": "Bake", "step_name": "Cool", "status": "START"},
    )
    assert logger.shipper.drain(60)
    failed, everything, routes, open_steps = examples("docs/trace-log.md", "sql")

    with closing(sqlite3.connect("logs/trace.db")) as store:
        ((*_, task, step, message, _),) = store.execute(failed).fetchall()
        assert (task, step) == ("Bake", "Oven")
        assert message.startswith("ValueError: burnt")
        assert [row[2] for row in store.execute(everything)] == ["Cool"]
        assert store.execute(routes).fetchall() == [("/cakes/{cake_id}", 1, 1, 40.0, 40)]
        assert [row[:3] for row in store.execute(open_steps)] == [(trace_id, "Bake", "Cool")]
