import shutil
from pathlib import Path

from fastapi import FastAPI
from httpx import AsyncClient

from app.database import Database
from app.lib.logger import EnhancedCSVLogger


async def test_alive_without_asking_anything_else(client: AsyncClient, app: FastAPI) -> None:
    app.state.database = None
    answer = await client.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok")


async def test_ready_when_the_database_answers(client: AsyncClient) -> None:
    answer = await client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["database"] is True


async def test_not_ready_without_a_database(
    client: AsyncClient, app: FastAPI, tmp_path: Path
) -> None:
    folder = tmp_path / "gone"
    app.state.database = gone = Database(f"sqlite:///{folder.as_posix()}/app.db")
    shutil.rmtree(folder)
    answer = await client.get("/readyz")
    await gone.close()
    assert answer.status_code == 503
    assert answer.json()["database"] is False


async def test_the_trace_log_tells_what_became_of_its_rows(
    client: AsyncClient, app: FastAPI, tmp_path: Path
) -> None:
    logger = EnhancedCSVLogger("libsql://nobody.invalid", base_path=tmp_path / "far")
    for _ in range(3):
        logger.log(None, "task_progress_logs", {"task_name": "T", "step_name": "S"})
    app.state.logger = logger

    answer = await client.get("/readyz")
    logger.close(0)

    told = answer.json()["trace_log"]
    assert answer.status_code == 200
    assert (told["appended"], told["pending"], told["unaccounted"]) == (3, 3, 0)
    assert [table["pending"] for table in told["tables"]] == [0, 3]
    assert "nobody" not in answer.text


async def test_the_name_of_a_store_of_before_is_not_for_anybody(
    client: AsyncClient, app: FastAPI, tmp_path: Path
) -> None:
    for name in ("before.db", "now.db"):
        logger = EnhancedCSVLogger(f"file:{tmp_path / name}", base_path=tmp_path / "log")
        logger.log(None, "task_progress_logs", {"task_name": "T", "step_name": "S"})
        logger.shipper.drain(10)
        logger.close()
    app.state.logger = logger

    answer = await client.get("/readyz")
    logger.close(0)

    assert answer.json()["trace_log"]["elsewhere"] == 1
    assert "before" not in answer.text


async def test_a_logger_without_delivery_has_nothing_to_tell(client: AsyncClient) -> None:
    assert (await client.get("/readyz")).json()["trace_log"] is None
