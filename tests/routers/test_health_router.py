import shutil
from pathlib import Path

from fastapi import FastAPI
from httpx import AsyncClient

from app.database import Database


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


async def test_the_trace_log_tells_how_it_is(client: AsyncClient, app: FastAPI) -> None:
    class Logger:
        def status(self) -> dict[str, int]:
            return {"pending": 3}

    app.state.logger = Logger()
    assert (await client.get("/readyz")).json()["trace_log"] == {"pending": 3}
