"""The front page, and what every page has: its assets and what was left to say."""

import base64
import json

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.assets import manifest
from app.product import SLUG
from app.routers.browser_session import AFTER_SIGN_IN
from tests.routers.conftest import browser_for


async def test_the_front_page_leads_in(client: AsyncClient) -> None:
    page = (await client.get("/")).text
    assert 'href="/sign-in"' in page
    assert 'href="/sign-up"' in page


async def test_for_who_is_signed_in_it_leads_to_their_pages(hana: AsyncClient) -> None:
    page = (await hana.get("/")).text
    assert f'href="{AFTER_SIGN_IN}"' in page.partition("<main")[2]
    assert 'href="/sign-in"' not in page


class TestAssets:
    @pytest.mark.parametrize("name", ["app.css", "app.js", "htmx.js", "icon.svg"])
    async def test_what_never_changes_is_kept_for_good(
        self, client: AsyncClient, name: str
    ) -> None:
        answer = await client.get(f"/static/{manifest()[name]}")
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"

    @pytest.mark.parametrize(
        ("accepted", "encoding"),
        [
            ("gzip, deflate, br, zstd", "br"),
            ("BR;q=0.5", "br"),
            ("br ; q=1.0, gzip", "br"),
            ("gzip;q=0.1,br;q=0.01", "br"),
            ("gzip, br;q=0", "gzip"),
            ("br; q=0.000, gzip", "gzip"),
            ("gzip, brotli", "gzip"),
            ("x-br", None),
            ("", None),
        ],
    )
    async def test_who_knows_brotli_gets_it(
        self, client: AsyncClient, accepted: str, encoding: str | None
    ) -> None:
        asked = {"Accept-Encoding": accepted}
        url = f"/static/{manifest()['app.css']}"
        answer = await client.get(url, headers=asked)
        assert answer.headers.get("content-encoding") == encoding
        assert answer.headers["content-type"] == "text/css; charset=utf-8"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["vary"] == "Accept-Encoding"
        again = {"If-None-Match": answer.headers["etag"]}
        assert (await client.get(url, headers=asked | again)).status_code == 304

    async def test_what_does_not_carry_its_hash_is_asked_for_again(
        self, client: AsyncClient
    ) -> None:
        answer = await client.get("/static/manifest.json")
        assert answer.headers["cache-control"] == "no-cache"

    @pytest.mark.parametrize("path", ["app.css", "../css/app.css", "%2e%2e/css/app.css", "%00"])
    async def test_nothing_else_is_there(self, client: AsyncClient, path: str) -> None:
        assert (await client.get(f"/static/{path}")).status_code == 404


class TestLeftToSay:
    async def test_only_what_the_app_has_signed_is_shown(
        self, client: AsyncClient, app: FastAPI
    ) -> None:
        said = (await client.post("/sign-out")).cookies[f"{SLUG}-flash"]
        payload, _, signature = said.partition(".")
        forged = base64.urlsafe_b64encode(json.dumps(["Forged", "info", [], ""]).encode()).decode()
        tries = (f"{forged}.{signature}", f"{payload}.{'0' * 64}", payload, forged, ".", "x.y")
        for cookie in tries:
            page = await browser_for(app).get("/", headers={"Cookie": f"{SLUG}-flash={cookie}"})
            assert page.status_code == 200
            assert "data-toast=" not in page.text.partition("<template")[0], cookie
        page = await browser_for(app).get("/", headers={"Cookie": f"{SLUG}-flash={said}"})
        assert "You are signed out." in page.text
        assert 'flash=""' in page.headers["set-cookie"], "and forgotten"
