"""Importing items as a browser does: upload, columns, what the job has left."""

import csv
import io
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import orjson
import pytest
from anyio import create_task_group, to_thread
from fastapi import FastAPI
from httpx import AsyncClient, Response
from sqlalchemy import select

from app.lib.table_problems import TableLimits
from app.models.item_import import ItemImport
from app.routers import import_upload
from app.services.imports.folder import ImportFolder
from tests.routers.conftest import HTMX, Visit
from tests.routers.made_up_jobs import jobs_of, session_of
from tests.support.disk import SmallDisk
from tests.support.parts import needs

CONTENT = "件名,備考,期限\r\n会議の資料,=1+1,2026/1/9\r\n,見積,soon\r\n".encode("cp932")


@pytest.fixture(autouse=True)
def files(app: FastAPI, tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    limits = {"import_max_bytes": 2_000_000, "import_max_rows": 50, "import_max_columns": 9}
    app.state.settings = app.state.settings.model_copy(update={"files_dir": folder} | limits)
    return folder / "imports"


async def send(browser: AsyncClient, content: bytes, name: str = "件名.csv") -> Response:
    return await browser.post("/items/import", files={"file": (name, content, "text/csv")})


def folders(files: Path) -> int:
    return len(list(files.iterdir()))


def all_of(files: Path) -> list[Path]:
    return sorted(files.rglob("*"))


async def test_a_file_is_uploaded_mapped_and_queued(
    app: FastAPI, hana: AsyncClient, files: Path
) -> None:
    assert 'href="/items/import"' in (await hana.get("/items")).text
    assert 'enctype="multipart/form-data"' in (await hana.get("/items/import")).text

    answer = await send(hana, CONTENT)

    assert (answer.status_code, answer.headers["location"]) == (303, "/items/imports/1")
    page = (await hana.get("/items/imports/1")).text
    assert "件名.csv" in page
    for name, place in (("title", 0), ("description", 1), ("due_on", 2)):
        field = page.partition(f'name="{name}"')[2].partition("</select>")[0]
        assert f'<option value="{place}" selected>' in field
    assert "会議の資料" in page
    assert "Jan 9, 2026" in page
    assert "Title: Please fill this in. Due: Please enter a date" in page
    url = "/items/imports/1?sent=1&title=1&has_names=on"
    part = (await hana.get(url, headers=HTMX)).text
    assert part.startswith('<form id="mapping"')
    assert "見積" in part
    assert "Jan 9" not in part

    choice = {"sent": "1", "title": "0", "description": "1", "has_names": "on", "skip_known": "on"}
    answer = await hana.post("/items/imports/1", data=choice)

    assert answer.headers["location"] == "/jobs"
    (job,) = await jobs_of(app)
    assert (job.kind, job.title, job.status) == ("Bulk_Import", "件名.csv", "queued")
    assert job.params["import_id"] == 1
    assert {name: value for name, value in job.params["choice"].items() if value} == {
        "description": 1,
        "has_names": True,
        "skip_known": True,
    }
    for again in (await hana.get("/items/imports/1"), await hana.post("/items/imports/1", data={})):
        assert again.headers["location"] == "/jobs"
    assert len(await jobs_of(app)) == 1


async def test_a_title_is_needed(app: FastAPI, hana: AsyncClient) -> None:
    await send(hana, CONTENT)

    answer = await hana.post("/items/imports/1", data={"sent": "1", "title": "", "has_names": "on"})

    assert answer.status_code == 422
    assert "Every item needs a title." in answer.text
    assert await jobs_of(app) == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b"\n\n", "The file is empty."),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "This is neither a CSV file nor an Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", "This is an old or a protected Excel file."),
        (b"PK\x03\x04 and no more", "The file is damaged, or no Excel workbook."),
        (b"title\n\xff\xff\n", "is neither UTF-8 nor Shift_JIS"),
        (b"title\n\xed\xa0\x80\n", "is neither UTF-8 nor Shift_JIS"),
        (b'title\n"a"b\n', "A quotation mark in row 2 does not fit"),
        (b"a" * 1_500_000, "Row 1 has no end that could be found."),
        (b"a," * 10_000, "Row 1 has more than 9 columns."),
        (b"a\n" * 1_000_001, "The file is too large."),
    ],
)
async def test_a_file_that_is_no_table_gets_a_sentence(
    hana: AsyncClient, files: Path, content: bytes, sentence: str
) -> None:
    answer = await send(hana, content)

    assert answer.status_code == 422
    assert sentence in answer.text
    assert folders(files) == 0


async def test_a_body_that_is_no_file_is_told(hana: AsyncClient, files: Path) -> None:
    for answer in (
        await hana.post("/items/import", data={"file": "x"}),
        await hana.post("/items/import", files={"other": ("a.csv", b"title")}),
        await hana.post("/items/import", files={"file": ("", b"")}),
        await hana.post(
            "/items/import",
            content=b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\ntit',
            headers={"Content-Type": "multipart/form-data; boundary=b"},
        ),
    ):
        assert answer.status_code == 422
        assert "Choose the file first." in answer.text
    assert folders(files) == 0


async def test_a_file_that_is_too_large_is_not_read(
    app: FastAPI, hana: AsyncClient, files: Path
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        while True:
            yield b"x" * 500_000

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await hana.post("/items/import", content=endless(), headers=headers)

    assert (answer.status_code, "The file is too large." in answer.text) == (422, True)
    assert folders(files) == 0


@pytest.fixture
def small_disk(files: Path) -> Iterator[SmallDisk]:
    """1 MB for uploads."""
    disk = SmallDisk(files.parent, "1m")
    needs("a small tmpfs", there=disk.is_there, mend="only root may mount one, on Linux")
    yield disk
    disk.remove()


@pytest.mark.usefixtures("small_disk")
async def test_a_disk_that_fills_up_in_an_upload_is_told_and_nothing_of_the_file_stays(
    hana: AsyncClient, files: Path
) -> None:
    await send(hana, CONTENT)
    kept = all_of(files)

    full = await send(hana, b"title\n" + b"tea\n" * 400_000)

    assert full.status_code == 422
    assert "There is no room left for the file." in full.text
    assert all_of(files) == kept
    assert (await hana.get("/items/imports/1")).status_code == 200
    again = await send(hana, CONTENT)
    assert (again.status_code, again.headers["location"]) == (303, "/items/imports/2")


async def test_files_that_take_long_to_look_at_leave_threads_to_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    goes_on = threading.Event()
    monkeypatch.setattr(import_upload, "look_at", lambda *_: goes_on.wait())

    async with create_task_group() as waiting:
        for _ in range(50):
            waiting.start_soon(import_upload.look_apart, Path(), TableLimits(1, 1, 1))
        assert await to_thread.run_sync(str, "free") == "free"
        goes_on.set()


async def test_htmx_and_the_script_get_the_next_page_by_header(hana: AsyncClient) -> None:
    hana.headers["HX-Request"] = "true"
    assert (await send(hana, CONTENT)).headers["hx-redirect"] == "/items/imports/1"
    refused = await send(hana, b"")
    assert refused.headers["hx-redirect"] == "/items/import"
    del hana.headers["HX-Request"]
    assert "The file is empty." in (await hana.get("/items/import")).text


async def test_only_the_newest_files_wait(app: FastAPI, hana: AsyncClient, files: Path) -> None:
    for _ in range(4):
        await send(hana, CONTENT)

    assert (await hana.get("/items/imports/1")).status_code == 404
    assert (await hana.get("/items/imports/2")).status_code == 200
    assert folders(files) == 3


async def test_an_import_is_its_owners(app: FastAPI, visit: Visit) -> None:
    hana, taro = await visit("Hana"), await visit("Taro")
    await send(hana, CONTENT)

    assert (await taro.get("/items/imports/1")).status_code == 404
    assert (await taro.post("/items/imports/1", data={"title": "0"})).status_code == 404
    await hana.post("/items/imports/1", data={"sent": "1", "title": "0"})
    (job,) = await jobs_of(app)
    async with session_of(app) as session:
        key = (await session.scalars(select(ItemImport.key))).one()
    ImportFolder(app.state.settings.files_dir, key).bad.write_bytes(b'{"names":["a"]}\n')
    url = f"/jobs/{job.id}/bad-rows"
    assert (await hana.get(url)).status_code == 200
    assert (await taro.get(url)).status_code == 404


async def test_rows_that_are_not_right_can_be_downloaded(app: FastAPI, hana: AsyncClient) -> None:
    await send(hana, CONTENT)
    await hana.post("/items/imports/1", data={"sent": "1", "title": "0"})
    (job,) = await jobs_of(app)
    assert (await hana.get(f"/jobs/{job.id}/bad-rows")).status_code == 404
    async with session_of(app) as session:
        key = (await session.scalars(select(ItemImport.key))).one()
    problem = {"field": "title", "type": "string_too_short", "ctx": {"min_length": 1}}
    shifted = {"field": "", "type": "too_many_cells", "ctx": {"width": 3}}
    status = {"field": "status", "type": "literal_error", "ctx": {}}
    lines = (
        {"names": ["件名", "備考"]},
        {"row": 3, "cells": [""], "problems": [problem, status]},
        {"row": 7, "cells": ["a", "=b"], "problems": [shifted]},
    )
    content = b"".join(orjson.dumps(line) + b"\n" for line in lines)
    ImportFolder(app.state.settings.files_dir, key).bad.write_bytes(content)

    hana.headers["Accept-Language"] = "ja"
    answer = await hana.get(f"/jobs/{job.id}/bad-rows")

    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert rows[0] == ["件名", "備考", "行", "正しくない理由"]
    assert rows[1][:3] == ["", "", "3"]
    assert rows[1][3].startswith("タイトル: ")
    assert "todo" in rows[1][3]
    assert rows[2][:3] == ["a", "'=b", "7"]
