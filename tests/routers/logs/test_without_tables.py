"""The pages before the first row was delivered, and after somebody dropped the tables."""

import re
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.lib.logger import EnhancedCSVLogger
from app.lib.tracelog.store.sql import Statement
from tests.routers.logs.conftest import delivered

pytestmark = pytest.mark.parametrize("store_settings", ["sqlite"], indirect=True)

PAGES = ("/logs", "/logs/requests", "/logs/errors", "/logs/tasks", "/logs/queries", "/logs/alerts")


def without_file(logger: EnhancedCSVLogger) -> None:
    logger.store.close()
    for path in logger.recorder.log_dir.glob("*.db*"):
        path.unlink()


def without_tables(logger: EnhancedCSVLogger) -> None:
    sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    names = [str(row[0]) for row in logger.store.query(sql).rows]
    logger.store.transact([Statement(f"DROP TABLE {name}") for name in names])


@pytest.mark.parametrize("lose", [without_file, without_tables])
async def test_pages_are_empty_and_the_list_and_traces_come_from_the_csv_files(
    app: FastAPI, admin: AsyncClient, lose: Callable[[EnhancedCSVLogger], None]
) -> None:
    delivered(app)
    logger: EnhancedCSVLogger = app.state.logger
    logger.shipper.stop()
    lose(logger)

    trace_id = (await admin.get("/report?month=2026-13")).headers["x-trace-id"]
    for path in PAGES:
        page = await admin.get(path)
        assert page.status_code == 200, path
    overview = (await admin.get("/logs")).text
    assert "No requests in this time." in overview
    assert re.search(r"[1-9][0-9]* rows are still on their way", overview)
    listing = (await admin.get("/logs/requests?path=/report&status=5xx")).text
    assert trace_id in listing
    trace = await admin.get(f"/logs/traces/{trace_id}")
    assert trace.status_code == 200
    assert "no days in 2026-13" in trace.text
    assert (await admin.get("/logs/requests/export")).text.count("/report") == 1
    for path in ("/logs/queries/browsers", "/logs/queries/user-actions?user_id=1"):
        page = await admin.get(path)
        assert page.status_code == 200, path
        assert "Nothing in the log answers this question." in page.text
    assert (await admin.get("/logs/queries/browsers?view=csv")).status_code == 200
    assert (await admin.get("/logs/errors/0123456789abcdef")).status_code == 404
    assert (await admin.get("/logs/tasks?task=Report_Build")).status_code == 404
