"""The API's documentation."""

import re

from fastapi import FastAPI
from httpx import AsyncClient

from app.i18n import language
from app.templating import _code_spans
from commands import messages


async def test_every_operation_of_the_api_is_there(client: AsyncClient) -> None:
    page = (await client.get("/api/docs")).text
    document = (await client.get("/api/openapi.json")).json()
    wanted = {
        operation["operationId"]
        for path in document.get("paths", {}).values()
        for operation in path.values()
    }
    assert len(wanted) >= 5
    assert wanted <= set(re.findall(r'<section id="([^"]+)"', page))
    for name in document.get("components", {}).get("schemas", ()):
        assert name in page


async def test_no_page_is_in_the_api(client: AsyncClient) -> None:
    paths = (await client.get("/api/openapi.json")).json().get("paths", ())
    assert all(path.startswith("/api/") for path in paths)


async def test_what_a_description_says_is_shown_and_never_run(
    client: AsyncClient, app: FastAPI
) -> None:
    async def strange() -> None:
        """Gives `<b>` and <script>alert(1)</script>."""

    app.add_api_route("/api/strange", strange)
    page = (await client.get("/api/docs")).text
    assert "Gives <code>&lt;b&gt;</code> and &lt;script&gt;alert(1)&lt;/script&gt;." in page


async def test_the_page_speaks_the_readers_language(client: AsyncClient) -> None:
    texts = messages.api_texts()
    assert "The item is not at this version any more." in texts
    page = (await client.get("/api/docs", headers={"Accept-Language": "ja"})).text
    for text in texts:
        assert str(_code_spans(text)) not in page
        assert str(_code_spans(language("ja").gettext(text))) in page


async def test_what_nobody_has_translated_yet_is_shown_as_it_was_written(
    client: AsyncClient, app: FastAPI
) -> None:
    async def new() -> None:
        """A route of which the catalogue knows nothing."""

    app.add_api_route("/api/new", new)
    page = (await client.get("/api/docs", headers={"Accept-Language": "ja"})).text
    assert "A route of which the catalogue knows nothing." in page
