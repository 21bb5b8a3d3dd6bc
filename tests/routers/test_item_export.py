"""A list of items as a file: what its page gives at once, what becomes a job, and the stream."""

import csv
import errno
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.models.job import Job
from app.routers import item_export_router
from app.services import item_export
from app.services.job_files import FILES_KEPT, JobFiles
from tests.routers.conftest import Visit, add_item
from tests.routers.made_up_jobs import add_job, jobs_of, session_of


@pytest.fixture(autouse=True)
def files(app: FastAPI, tmp_path: Path) -> JobFiles:
    folder = tmp_path / "files"
    app.state.settings = app.state.settings.model_copy(update={"files_dir": folder})
    return JobFiles(folder)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


async def test_a_short_list_is_a_file_at_once_as_it_is_searched_and_sorted(visit: Visit) -> None:
    hana, taro = await visit("Hana"), await visit("Taro")
    await add_item(taro, "tea of another")
    for title in ("tea 1", "coffee", "tea 2"):
        await add_item(hana, title, description="=1+1", due_on="2026-11-05")

    page = await hana.get("/items?q=tea&sort=title&direction=asc")
    assert 'action="/items/export?q=tea&amp;sort=title&amp;direction=asc"' in page.text
    url = "/items/export?q=tea&sort=title&direction=asc"
    answer = await hana.post(url, data={"kind": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'attachment; filename="items-' in answer.headers["content-disposition"]
    found = rows(answer.text)
    assert [(row["title"], row["description"]) for row in found] == [
        ("tea 1", "'=1+1"),
        ("tea 2", "'=1+1"),
    ]
    assert (found[0]["status"], found[0]["due_on"]) == ("todo", "2026-11-05")
    excel = await hana.post(url, data={"kind": "excel"})
    assert excel.content.startswith(b"\xef\xbb\xbf")
    assert rows(excel.text)[0]["description"] == "'=1+1"
    with zipfile.ZipFile(io.BytesIO((await hana.post(url, data={"kind": "xlsx"})).content)) as book:
        assert b">=1+1<" in book.read("xl/worksheets/sheet1.xml")


async def test_a_disk_that_is_full_is_told_where_the_list_is(
    hana: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(item_export_router, "TemporaryDirectory", full)
    answer = await hana.post("/items/export?q=tea&sort=title", data={"kind": "csv"})

    assert answer.headers["location"] == "/items?q=tea&sort=title"
    assert "There is no room left for the file." in (await hana.get("/items")).text


async def test_a_long_list_becomes_a_job(
    app: FastAPI, hana: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(item_export, "PAGE", 2)
    for number in range(3):
        await add_item(hana, f"tea {number}")

    answer = await hana.post("/items/export?status=todo", data={"kind": "xlsx"})

    assert answer.headers["location"] == "/jobs"
    assert "jobs=1" in answer.headers["set-cookie"]
    [job] = await jobs_of(app)
    assert (job.kind, job.params["kind"]) == ("Bulk_Export", "xlsx")
    wanted = {"q": "", "status": "todo", "sort": "created", "direction": "desc"}
    assert job.params["wanted"] == wanted
    assert job.title == job.params["name"]
    assert (await hana.post("/items/export", data={"kind": "doc"})).status_code == 422


async def test_programs_get_all_of_it_as_a_stream(
    hana: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(item_export, "PAGE", 2)
    for number in range(5):
        await add_item(hana, f"tea {number}")

    answer = await hana.get("/api/items/export?kind=jsonl&sort=title&direction=asc")

    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["title"] for line in lines] == [f"tea {number}" for number in range(5)]
    assert (await hana.get("/api/items/export?kind=xlsx")).status_code == 422
    nothing = await hana.get("/api/items/export?q=coffee")
    assert nothing.text == "id,title,description,status,due_on,created_at,updated_at\r\n"


async def test_only_who_is_signed_in_gets_anything(client: AsyncClient) -> None:
    assert (await client.post("/items/export", data={"kind": "csv"})).status_code == 303
    assert (await client.get("/api/items/export")).status_code == 401


async def test_the_file_of_a_job_is_its_users_for_a_day(
    app: FastAPI, visit: Visit, files: JobFiles
) -> None:
    hana, taro = await visit("Hana"), await visit("Taro")
    result: dict[str, Any] = {"rows": 1234, "bytes": 5, "file": "items.csv"}
    job_id = await add_job(app, kind="Bulk_Export", status="done", result=result)
    assert (await hana.get(f"/jobs/{job_id}/file")).status_code == 404  # the disk was not kept
    files.draft(job_id).write_text("id\r\n1")
    files.keep(job_id)

    page = (await hana.get("/jobs")).text
    assert "1,234 items." in page
    assert f'href="/jobs/{job_id}/file"' in page
    answer = await hana.get(f"/jobs/{job_id}/file")
    assert (answer.text, answer.headers["cache-control"]) == ("id\r\n1", "no-store")
    assert answer.headers["content-disposition"] == 'attachment; filename="items.csv"'
    assert (await taro.get(f"/jobs/{job_id}/file")).status_code == 404

    async with session_of(app) as session:
        job = await session.get(Job, job_id)
        assert job is not None
        assert job.ended_at is not None
        job.ended_at -= FILES_KEPT
    assert (await hana.get(f"/jobs/{job_id}/file")).status_code == 404
    assert "/file" not in (await hana.get("/jobs")).text
