"""The pages of the log while its database is away, refuses access or is none."""

import html
import re
import time
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.lib.logger import EnhancedCSVLogger
from app.lib.tracelog.shipper.checkpoint import Checkpoint
from tests.routers.logs.conftest import HTMX, JAPANESE, TRACE, delivered, files_only, paths
from tests.support.processes import SPARE_SECONDS
from tests.support.turso import TursoServer


@pytest.mark.parametrize("store_settings", ["sqld"], indirect=True)
async def test_a_stopped_log_database_is_said_in_words(
    app: FastAPI, admin: AsyncClient, sqld: TursoServer
) -> None:
    delivered(app)
    sqld.kill()
    assert (await admin.get("/account")).status_code == 200
    for url in ("/logs/requests?path=/items", f"/logs/traces/{TRACE}"):
        page = await admin.get(url)
        assert page.status_code == 503
        assert "The log database is not answering." in page.text
        assert "kept in the CSV files" in page.text
        assert "retry-after" in page.headers
        japanese = await admin.get(url, headers=JAPANESE)
        assert "ログデータベースが応答していません。" in japanese.text
        assert sqld.token not in page.text
    log_dir: Path = app.state.logger.recorder.log_dir
    assert "StoreUnavailable" in (log_dir / "task_progress_logs.csv").read_text("utf-8")
    part = await admin.get("/logs/requests?path=/items", headers=HTMX)
    assert part.status_code == 503
    assert "Delivery to the log database fails" not in part.text  # once is enough
    assert part.text.lstrip().startswith('<section id="requests"')
    assert part.headers["hx-reswap"] == "outerHTML"


@pytest.mark.parametrize("store_settings", ["sqld"], indirect=True)
async def test_without_the_log_database_lists_and_traces_come_from_the_csv_files(
    app: FastAPI, admin: AsyncClient, sqld: TursoServer
) -> None:
    delivered(app)
    sqld.kill()
    answer = await admin.get("/report?month=2026-13")
    for number in range(55):
        await admin.get(f"/items/{number}")
    page = await admin.get("/logs/requests")
    assert page.status_code == 503
    assert "newest part of this server's CSV files" in html.unescape(page.text)
    assert paths(page)[0] == "/items/54"
    [older] = re.findall(r'href="(/logs/requests\?after=\d+)" hx-get', page.text)
    assert "/report" in paths(await admin.get(html.unescape(older)))
    trace_id = answer.headers["x-trace-id"]
    for query in ("status=5xx", "path=/rep", "failed=1", f"trace={trace_id[:8]}", "route=/report"):
        assert "/report" in paths(await admin.get(f"/logs/requests?{query}"))
    for query in ("status=404&path=/report", "user=999", "slower=99999", "ip=192.0.2.1"):
        assert paths(await admin.get(f"/logs/requests?{query}")) == []
    trace = await admin.get(f"/logs/traces/{trace_id}")
    assert trace.status_code == 503
    assert "The log database is not answering." in trace.text
    assert "no days in 2026-13" in trace.text


@pytest.mark.parametrize("store_settings", ["sqld"], indirect=True)
async def test_a_log_database_that_hangs_is_given_up_within_ten_seconds(
    app: FastAPI, admin: AsyncClient, sqld: TursoServer
) -> None:
    delivered(app)
    sqld.pause()
    try:
        started = time.monotonic()
        page = await admin.get("/logs/requests")
        assert time.monotonic() - started < 10 + SPARE_SECONDS
    finally:
        sqld.resume()
    assert page.status_code == 503
    assert "The log database is not answering." in page.text


@pytest.mark.parametrize("store_settings", ["sqlite"], indirect=True)
async def test_a_wrong_token_names_the_setting_to_check(
    app: FastAPI, admin: AsyncClient, sqld: TursoServer, tmp_path: Path
) -> None:
    delivered(app)
    own = app.state.logger
    app.state.logger = refused = EnhancedCSVLogger(sqld.url, "not-a-token", tmp_path / "refused")
    page = await admin.get("/logs/requests")
    assert page.status_code == 503
    assert "The log database refuses access." in page.text
    assert "TURSO_TOKEN" in page.text
    refused.close(0.0)
    app.state.logger = own


@pytest.mark.parametrize("store_settings", ["sqlite"], indirect=True)
async def test_failing_delivery_is_said_where_the_list_can_still_be_read(
    app: FastAPI, admin: AsyncClient
) -> None:
    logger: EnhancedCSVLogger = app.state.logger
    delivered(app)
    logger.shipper.stop()
    # Another process of this server delivers, or tries to.
    checkpoint = Checkpoint.load(logger.recorder.log_dir)
    checkpoint.last_error = "Disk quota <exceeded>."
    checkpoint.save()
    page = await admin.get("/logs/requests")
    assert page.status_code == 200
    assert "Delivery to the log database fails" in page.text
    assert "Disk quota &lt;exceeded&gt;." in page.text


@pytest.mark.parametrize("store_settings", ["sqlite"], indirect=True)
async def test_an_app_that_logs_to_files_only_says_so(app: FastAPI, admin: AsyncClient) -> None:
    delivered(app)
    for url in ("/logs/requests", f"/logs/traces/{TRACE}"):
        with files_only(app):
            page = await admin.get(url)
        assert page.status_code == 503
        assert "This app delivers its log to no database." in page.text
