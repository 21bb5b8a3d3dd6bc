"""The API's documentation."""

import re

from fastapi import FastAPI
from httpx import AsyncClient


async def test_every_operation_of_the_api_is_there(client: AsyncClient, app: FastAPI) -> None:
    page = (await client.get("/api/docs")).text
    document = (await client.get("/api/openapi.json")).json()
    wanted = {
        operation["operationId"]
        for path in document["paths"].values()
        for operation in path.values()
    }
    assert len(wanted) >= 5
    assert wanted <= set(re.findall(r'<section id="([^"]+)"', page))
    for name in document["components"]["schemas"]:
        assert name in page


async def test_no_page_is_in_the_api(client: AsyncClient) -> None:
    paths = (await client.get("/api/openapi.json")).json()["paths"]
    assert all(path.startswith("/api/") for path in paths)


async def test_what_a_description_says_is_shown_and_never_run(
    client: AsyncClient, app: FastAPI
) -> None:
    async def strange() -> None:
        """Gives `<b>` and <script>alert(1)</script>."""

    app.add_api_route("/api/strange", strange)
    page = (await client.get("/api/docs")).text
    assert "Gives <code>&lt;b&gt;</code> and &lt;script&gt;alert(1)&lt;/script&gt;." in page
