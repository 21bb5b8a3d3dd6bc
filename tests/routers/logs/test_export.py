"""What a filter finds as a file, over a SQLite file and a real sqld."""

import csv
import io
import json

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from tests.routers.conftest import Visit
from tests.routers.logs.conftest import delivered, files_only, keep
from tests.services.log_book import LogBook


@pytest.fixture
def filled(app: FastAPI, admin: AsyncClient) -> FastAPI:
    """Two and a half pages of an export, one of whose paths is a formula."""
    delivered(app)
    book = LogBook()
    for number in range(500):
        book.after(1).request("=1+1" if number == 0 else f"/n/{number}", duration=number)
    keep(app, book)
    return app


async def test_only_administrators_get_it(visit: Visit) -> None:
    assert (await (await visit("Hana")).get("/logs/requests/export")).status_code == 403


@pytest.mark.usefixtures("filled")
async def test_everything_that_the_filter_finds_is_in_it_once(admin: AsyncClient) -> None:
    answer = await admin.get("/logs/requests/export?path=/n/&slower=100")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["endpoint"] for row in rows] == [f"/n/{n}" for n in reversed(range(100, 500))]
    assert rows[0]["created_at"].startswith("2026-11-23 01:02:03.")


@pytest.mark.usefixtures("filled")
async def test_excel_reads_japanese_and_no_formula_and_rounds_no_id(admin: AsyncClient) -> None:
    answer = await admin.get("/logs/requests/export?kind=excel&faster=1&path==")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    [row] = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert row["endpoint"] == "'=1+1"
    assert row["id"].startswith("'")


@pytest.mark.usefixtures("filled")
async def test_lines_of_json_keep_ids_as_text(admin: AsyncClient) -> None:
    answer = await admin.get("/logs/requests/export?kind=jsonl&path=/n/499")
    [line] = [json.loads(line) for line in answer.text.splitlines()]
    assert (line["endpoint"], line["response_status"]) == ("/n/499", 200)
    assert isinstance(line["id"], str)


async def test_the_list_links_to_it_with_its_filter(filled: FastAPI, admin: AsyncClient) -> None:
    page = await admin.get("/logs/requests?method=GET")
    assert 'href="/logs/requests/export?method=GET&amp;kind=excel"' in page.text
    assert (await admin.get("/logs/requests/export?kind=doc")).status_code == 404
    with files_only(filled):
        assert (await admin.get("/logs/requests/export")).status_code == 503
