"""Language and theme."""

import time

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.cookies import LANGUAGE, cookie_name
from tests.routers.conftest import ORIGIN


async def test_the_language_follows_the_browser_until_it_is_chosen(client: AsyncClient) -> None:
    page = await client.get("/", headers={"Accept-Language": "ja,en;q=0.5"})
    assert '<html lang="ja">' in page.text
    await client.post("/preferences", data={"language": "en"})
    page = await client.get("/", headers={"Accept-Language": "ja"})
    assert '<html lang="en">' in page.text


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_theme_is_in_the_page_when_it_arrives(client: AsyncClient, theme: str) -> None:
    await client.post("/preferences", data={"theme": theme})
    page = (await client.get("/")).text
    assert f'data-theme="{theme}"' in page
    await client.post("/preferences", data={"theme": "system"})
    assert "data-theme" not in (await client.get("/")).text


async def test_a_choice_is_read_at_once_beside_a_cookie_that_is_all_backslashes(
    app: FastAPI, client: AsyncClient
) -> None:
    chosen = f"{cookie_name(app.state.settings, LANGUAGE)}=ja"
    other = 'other="' + "\\" * 40_000 + '"'
    began = time.process_time()

    page = (await client.get("/", headers={"Cookie": f"{other}; {chosen}"})).text

    assert '<html lang="ja">' in page
    assert time.process_time() - began < 3


async def test_one_choice_leaves_the_other(client: AsyncClient) -> None:
    await client.post("/preferences", data={"language": "ja"})
    await client.post("/preferences", data={"theme": "dark"})
    assert '<html lang="ja" data-theme="dark">' in (await client.get("/")).text


async def test_what_there_is_not_changes_nothing(client: AsyncClient) -> None:
    answer = await client.post("/preferences", data={"theme": '"><script>', "language": "xx"})
    assert answer.status_code == 303
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("referer", "location"),
    [
        (f"{ORIGIN}/items?q=a&status=done", "/items?q=a&status=done"),
        (f"{ORIGIN}/", "/"),
        (f"{ORIGIN}//evil.example/", "/"),
        ("https://evil.example/items", "/"),
        ("http://[", "/"),
        ("", "/"),
    ],
)
async def test_it_comes_back_to_the_same_page_and_to_no_other_site(
    client: AsyncClient, referer: str, location: str
) -> None:
    headers = {"Referer": referer}
    answer = await client.post("/preferences", data={"theme": "dark"}, headers=headers)
    assert answer.headers["location"] == location
