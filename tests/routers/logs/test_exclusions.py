"""Lists that leave something out, over a SQLite file and a real sqld."""

import html
import re

from fastapi import FastAPI
from httpx import AsyncClient

from tests.routers.logs.conftest import HTMX, JAPANESE, delivered, paths


async def visited(app: FastAPI, admin: AsyncClient) -> None:
    for path in ("/account", "/account/9", "/nowhere", "/nowhere"):
        await admin.get(path)
    delivered(app)


def link(page: str, words: str) -> str:
    """Where the link with these words in its label or title leads."""
    [url] = re.findall(rf'href="([^"]+)"[^>]*{words}', page)[:1]
    return html.unescape(url)


async def test_words_behind_a_minus_sign_leave_out_and_each_can_be_taken_back(
    app: FastAPI, admin: AsyncClient
) -> None:
    await visited(app, admin)

    page = await admin.get("/logs/requests", params={"path": "/ -/nowhere -status:3xx"})

    assert paths(page) == ["/account/9", "/account"]
    assert 'name="path" value="/ -/nowhere -status:3xx"' in page.text
    [back] = re.findall(
        r'href="([^"]+)"[^>]*><span[^>]*>Remove the filter:</span> <span[^>]*>Path ≠', page.text
    )
    assert back == "/logs/requests?path=%2F&amp;without=status%3A3xx"
    shown = paths(await admin.get(html.unescape(back)))
    assert shown == ["/nowhere", "/nowhere", "/account/9", "/account"]


async def test_a_filter_becomes_its_opposite_by_one_click(app: FastAPI, admin: AsyncClient) -> None:
    await visited(app, admin)

    only = await admin.get("/logs/requests?status=404")
    assert set(paths(only)) == {"/nowhere", "/account/9"}
    url = link(only.text, "Everything but this: Status code 404")

    assert url == "/logs/requests?without=status%3A404"
    assert "/nowhere" not in paths(others := await admin.get(url))
    assert "/account" in paths(others)
    japanese = await admin.get("/logs/requests?status=404", headers=JAPANESE)
    assert "これ以外すべて: ステータス 404" in japanese.text


async def test_a_path_in_the_list_is_left_out_by_one_click_and_those_below_it_stay(
    app: FastAPI, admin: AsyncClient
) -> None:
    await visited(app, admin)

    page = await admin.get("/logs/requests?without=/nowhere")
    url = link(page.text, 'title="Everything but /account"')

    assert url == "/logs/requests?without=%2Fnowhere+%2Faccount%24"
    assert "/account/9" in paths(rest := await admin.get(url))
    assert not {"/account", "/nowhere"} & set(paths(rest))


async def test_a_path_that_no_search_can_name_has_no_such_link(
    app: FastAPI, admin: AsyncClient
) -> None:
    await admin.get('/a"b')
    await admin.get(f"/{'x' * 200}")
    delivered(app)
    page = (await admin.get("/logs/requests?status=404")).text
    assert page.count('title="Everything but /') == 0


async def test_what_is_left_out_goes_along_to_pages_files_and_the_live_list(
    app: FastAPI, admin: AsyncClient
) -> None:
    await visited(app, admin)
    page = (await admin.get("/logs/requests?path=-/nowhere")).text
    for url in ("/logs/requests?without=%2Fnowhere&amp;status=4xx", "live=1", "export?"):
        [found] = re.findall(rf'href="([^"]*{re.escape(url)}[^"]*)"', page)[:1]
        assert "without=%2Fnowhere" in found, url
    file = await admin.get("/logs/requests/export?without=/nowhere")
    assert "/account/9" in file.text
    assert "/nowhere" not in file.text
    assert 'name="path" value="-/nowhere"' in page, "the form asks for the same"


async def test_while_one_types_the_url_is_replaced(app: FastAPI, admin: AsyncClient) -> None:
    await visited(app, admin)
    before = {**HTMX, "HX-Current-URL": f"{HTMX['HX-Current-URL']}?without=%2Fno"}

    part = await admin.get("/logs/requests", params={"path": "-/nowhere"}, headers=before)

    assert part.headers["HX-Replace-Url"] == "/logs/requests?without=%2Fnowhere"
    assert "/nowhere" not in paths(part)


async def test_what_makes_no_sense_is_said_and_nothing_is_left_out(
    app: FastAPI, admin: AsyncClient
) -> None:
    await visited(app, admin)
    page = await admin.get("/logs/requests?path=/nowhere+-status:9")
    assert "Behind a minus sign stands a path" in page.text
    assert paths(page) == ["/nowhere", "/nowhere"]
    empty = await admin.get("/logs/requests?path=-/")
    assert "No request matches." in empty.text
