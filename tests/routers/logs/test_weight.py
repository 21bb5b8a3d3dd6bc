"""What a browser loads for each page of the log at its first visit, compressed."""

from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from benchmarks.explorer import weight
from tests.routers.logs.conftest import TRACE, delivered, keep
from tests.services.log_book import LogBook

pytestmark = pytest.mark.parametrize("store_settings", ["sqlite"], indirect=True)

MOST = 45_000


async def test_every_page_is_light(app: FastAPI, admin: AsyncClient) -> None:
    delivered(app)
    book = LogBook(datetime.now(UTC) - timedelta(minutes=30))
    for number in range(1200):
        task, trace = f"Task_{number % 40}", f"3f2a1b9c-0000-4000-8000-{number:012}"
        book.after(1).step(task, f"Step_{number}", "START", trace=trace)
        if number % 20:
            book.step(task, f"Step_{number}", "SUCCESS", trace=trace)
        else:
            stack = f"Traceback\n{task}: no"
            book.step(task, f"Step_{number}", "FAILED", trace=trace, stack_trace=stack)
        book.request(
            f"/route-{number % 60}/items",
            200,
            duration=number,
            trace=trace,
            request_header={":route": f"/route-{number % 60}/items"},
        )
        book.step("Import", f"Row {number}", "START", order=number + 1)
        book.after(1).step("Import", f"Row {number}", "SUCCESS", order=number + 1)
    book.request("/import", 202, duration=900)
    keep(app, book)

    [group] = app.state.logger.store.query("SELECT fingerprint FROM tracelog_errors LIMIT 1").rows
    pages = [
        "/logs?range=24h",
        "/logs/requests",
        "/logs/requests?live=1&columns=ip&columns=route",
        f"/logs/traces/{TRACE}",
        f"/logs/traces/{TRACE}/compare/{TRACE}",
        "/logs/errors",
        f"/logs/errors/{group[0]}",
        "/logs/tasks?range=24h",
        "/logs/tasks?task=Import",
        "/logs/queries",
        "/logs/console",
        "/logs/alerts",
    ]
    weights = {}
    for path in pages:
        page = await admin.get(path)
        assert page.status_code == 200, path
        weights[path] = weight(page.text)
    assert {path: size for path, size in weights.items() if size >= MOST} == {}
