"""What pages with a stream of their own tell of one's jobs."""

from datetime import timedelta

from fastapi import FastAPI
from httpx import AsyncClient
from starlette.requests import Request

from app.lib.utils import utc_now
from app.routers.job_news import JobNews
from tests.routers.made_up_jobs import add_job, session_of


async def test_each_change_is_new_once_and_of_one_job_nothing_is_said(
    app: FastAPI, hana: AsyncClient
) -> None:
    request = Request({"type": "http", "app": app, "headers": [], "path": "/", "state": {}})
    del hana  # it is her jobs
    news = JobNews(request, 1)
    await add_job(app, "goes-on.csv", status="running", attempt=1)
    shown = await add_job(app, "shown.csv", status="done", ended_at=utc_now() + timedelta(hours=1))

    async with session_of(app) as session:
        looks = [await news.look(session, but=shown) for _ in range(2)]
        assert [(it.count, it.toasts, it.is_new) for it in looks] == [(1, [], True), (1, [], False)]

        await add_job(app, "ended.csv", status="failed", ended_at=utc_now() + timedelta(hours=2))
        looks = [await news.look(session) for _ in range(2)]

    assert [[toast.text for toast in it.toasts] for it in looks] == [
        ["Failed: Report: ended.csv"],
        [],
    ]
    assert [it.is_new for it in looks] == [True, False]
