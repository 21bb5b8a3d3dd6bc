"""The parts are put together as the settings say."""

import json
from pathlib import Path

import pytest
from httpx import ASGITransport, AsyncClient

from app.config import Settings
from app.lib.logger import CSVOnlyLogger, NullLogger
from app.lib.tracelog.schema import API_LOGS, TABLES
from app.main import create_app
from tests.lib.tracelog.rows import read_all
from tests.support.routes import app_with_known_routes


async def recorded(settings: Settings) -> list[dict[str, object]]:
    """The rows of one visit to the page for signing in."""
    logger = CSVOnlyLogger(settings.log_dir)
    app = app_with_known_routes(settings, logger=logger)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://app.test") as client:
        assert (await client.get("/sign-in")).status_code == 200
    logger.close()
    await app.state.database.close()
    rows, _bad = read_all(settings.log_dir, TABLES[API_LOGS])
    return [dict(zip(TABLES[API_LOGS].column_names, row, strict=True)) for row in rows]


@pytest.fixture
def settings(sqlite_database: str, tmp_path: Path) -> Settings:
    return Settings(database_url=sqlite_database, log_dir=tmp_path / "logs")


async def test_of_pages_only_the_size_is_kept_unless_the_setting_wants_them(
    settings: Settings, tmp_path: Path
) -> None:
    [row] = await recorded(settings)
    assert json.loads(str(row["response_body"])).keys() == {":type", ":size"}

    more = {"log_html": True, "log_body_bytes": 200_000, "log_dir": tmp_path / "html"}
    [row] = await recorded(settings.model_copy(update=more))
    assert "<h1" in json.loads(str(row["response_body"]))


async def test_what_sampling_leaves_out_has_no_row(settings: Settings) -> None:
    rules = Settings(log_sampling=("/sign-in=0",)).log_sampling
    assert await recorded(settings.model_copy(update={"log_sampling": rules})) == []


async def test_in_production_only_the_own_host_is_served(settings: Settings) -> None:
    how = {"environment": "production", "public_origin": "https://app.example.com"}
    app = create_app(settings.model_copy(update=how), logger=NullLogger())
    for host, status in (("app.example.com", 200), ("evil.example.com", 421)):
        transport = ASGITransport(app)
        async with AsyncClient(transport=transport, base_url=f"https://{host}") as client:
            assert (await client.get("/sign-in")).status_code == status
            assert (await client.get("/healthz")).status_code == 200
    await app.state.database.close()
