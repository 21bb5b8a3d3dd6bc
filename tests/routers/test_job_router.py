"""One's jobs as pages. The jobs' rows are made here; `tests/jobs` has the engine that runs them."""

import re

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import update

from app.lib.utils import utc_now
from app.models.job import Job
from app.product import SLUG
from app.routers import job_router
from app.services.job_service import JobService
from tests.routers.conftest import HTMX, Visit
from tests.routers.made_up_jobs import add_job, session_of

JAPANESE = {"Accept-Language": "ja"}


async def status_of(app: FastAPI, job_id: str) -> tuple[str, bool]:
    async with session_of(app) as session:
        job = await session.get(Job, job_id)
    assert job is not None
    return job.status, job.cancel


async def test_an_empty_list_says_what_it_is_for(hana: AsyncClient) -> None:
    page = await hana.get("/jobs")

    assert page.status_code == 200
    assert "Nothing runs and nothing has run." in page.text


async def test_a_running_job_shows_its_step_and_how_far_it_is(
    app: FastAPI, hana: AsyncClient
) -> None:
    began = utc_now().replace(year=2026, hour=1, minute=0, second=0, microsecond=0)
    await add_job(
        app,
        "<b>買い物</b>.csv",
        status="running",
        step="DB_Commit",
        done=2500,
        total=10_000,
        step_at=began,
        changed_at=began.replace(second=20),
    )
    page = await hana.get("/jobs")

    assert "&lt;b&gt;買い物&lt;/b&gt;.csv" in page.text
    assert 'value="25" max="100"' in page.text
    assert "2,500 / 10,000" in page.text
    assert "about 60 s left" in page.text
    assert ">Cancel<" in page.text
    assert ">Run again<" not in page.text


async def test_a_failed_job_says_why_and_can_run_again(app: FastAPI, hana: AsyncClient) -> None:
    problem = {"code": "internal", "values": {}}
    job_id = await add_job(app, status="failed", problem=problem, attempt=1, step_number=2)

    assert "Something went wrong on our side." in (await hana.get("/jobs")).text
    assert "サーバーで問題が発生しました" in (await hana.get("/jobs", headers=JAPANESE)).text
    again = await hana.post(f"/jobs/{job_id}/retry")
    assert again.headers["location"] == "/jobs"
    assert await status_of(app, job_id) == ("queued", False)


async def test_a_job_that_has_not_failed_cannot_run_again(app: FastAPI, hana: AsyncClient) -> None:
    job_id = await add_job(app, status="done")

    assert (await hana.post(f"/jobs/{job_id}/retry")).status_code == 404
    assert await status_of(app, job_id) == ("done", False)


async def test_a_waiting_job_is_cancelled_at_once_a_running_one_soon(
    app: FastAPI, hana: AsyncClient
) -> None:
    waiting, running = await add_job(app), await add_job(app, status="running")

    assert (await hana.post(f"/jobs/{waiting}/cancel")).status_code == 303
    assert "It is cancelled." in (await hana.get("/jobs")).text
    await hana.post(f"/jobs/{running}/cancel")
    page = await hana.get("/jobs")

    assert await status_of(app, waiting) == ("cancelled", True)
    assert await status_of(app, running) == ("running", True)
    assert "is being cancelled" in page.text


async def test_the_jobs_of_another_do_not_exist(app: FastAPI, visit: Visit) -> None:
    hana, taro = await visit("Hana"), await visit("Taro")
    job_id = await add_job(app, "hana's")

    assert "hana&#39;s" in (await hana.get("/jobs")).text
    assert "hana&#39;s" not in (await taro.get("/jobs")).text
    for action in ("cancel", "retry"):
        assert (await taro.post(f"/jobs/{job_id}/{action}")).status_code == 404
    assert await status_of(app, job_id) == ("queued", False)


@pytest.mark.parametrize("path", ["/jobs", "/jobs/stream", "/jobs/badge"])
async def test_signed_out_readers_see_none(client: AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 303


async def test_htmx_gets_the_list_alone(app: FastAPI, hana: AsyncClient) -> None:
    await add_job(app)
    part = await hana.get("/jobs", headers=HTMX)

    assert "<html" not in part.text
    assert "list.csv" in part.text


async def test_pages_ask_for_jobs_only_where_the_browser_has_queued_some(
    app: FastAPI, hana: AsyncClient
) -> None:
    await add_job(app)
    assert 'hx-sse:connect="/jobs/badge?' not in (await hana.get("/account")).text

    hana.cookies.set(f"{SLUG}-jobs", "1")
    page = (await hana.get("/account")).text
    assert 'hx-sse:connect="/jobs/badge?' in page
    # In one file with htmx: apart, it might come too late to be asked about the page.
    assert re.findall(r"static/(htmx[a-z-]*)\.", page) == ["htmx-sse"]


async def test_the_mark_is_taken_off_when_nothing_goes_on(app: FastAPI, hana: AsyncClient) -> None:
    hana.cookies.set(f"{SLUG}-jobs", "1", domain="app.test", path="/")
    await add_job(app, status="done")

    page = await hana.get("/jobs")

    assert 'jobs=""' in page.headers["set-cookie"]


async def test_the_stream_sends_what_has_changed(
    app: FastAPI, hana: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_router, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(job_router, "STREAM_SECONDS", 0.2)
    await add_job(app, "first.csv")

    answer = await hana.get("/jobs/stream")

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.count("first.csv") == 1


@pytest.mark.parametrize(("path", "first"), [("badge", "going_on"), ("stream", "latest")])
async def test_the_badge_counts_and_tells_of_each_end_once(
    app: FastAPI, hana: AsyncClient, monkeypatch: pytest.MonkeyPatch, path: str, first: str
) -> None:
    monkeypatch.setattr(job_router, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(job_router, "STREAM_SECONDS", 0.3)
    looks = 0
    asked_first = getattr(JobService, first)
    job_id = await add_job(app, "ends.csv", status="running", attempt=1)

    async def end_at_the_third_look(self: JobService) -> object:
        nonlocal looks
        looks += 1
        if looks == 3:
            async with session_of(app) as session:
                values = {"status": "done", "ended_at": utc_now()}
                await session.execute(update(Job).where(Job.id == job_id).values(**values))
        return await asked_first(self)

    monkeypatch.setattr(JobService, first, end_at_the_third_look)
    answer = await hana.get(f"/jobs/{path}")

    assert answer.text.count("Done: Report: ends.csv") == 1
    assert answer.text.count("badge-sm badge-primary") == 1


@pytest.mark.parametrize("path", ["badge", "stream"])
async def test_what_ends_before_the_stream_is_there_is_told_by_it_once(
    app: FastAPI, hana: AsyncClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    for name in ("LOOK_SECONDS", "STREAM_SECONDS"):  # one look
        monkeypatch.setattr(job_router, name, 0.01)
    hana.cookies.set(f"{SLUG}-jobs", "1")
    job_id = await add_job(app, "ends.csv", status="running", attempt=1)
    page = (await hana.get("/jobs" if path == "stream" else "/account")).text
    url = re.findall(rf'hx-sse:connect="(/jobs/{path}[^"]+)"', page)[0]
    async with session_of(app) as session:
        values = {"status": "done", "ended_at": utc_now()}
        await session.execute(update(Job).where(Job.id == job_id).values(**values))

    first = (await hana.get(url)).text
    place = re.findall(r"^id: (\d+)$", first, re.MULTILINE)[-1]
    again = (await hana.get(url, headers={"Last-Event-ID": place})).text

    assert [text.count("Done: Report: ends.csv") for text in (first, again)] == [1, 0]
    for odd in ("9" * 40, "-1", "x", "\u0661"):
        told = await hana.get(f"/jobs/{path}", params={"since": odd})
        assert (told.status_code, "Done: " in told.text) == (200, False)
