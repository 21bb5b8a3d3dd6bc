"""Two accounts, and every route that takes an id: what is another's does not exist."""

import re
from typing import Final

from fastapi import FastAPI
from fastapi.routing import APIRoute
from httpx import AsyncClient

from app.routers import ROUTERS
from tests.routers.conftest import ON_BOTH, PASSWORD, Visit, add_item, browser_for
from tests.support.pictures import add_picture

pytestmark = ON_BOTH

# These are for administrators alone, whoever's the id is.
_ADMIN: Final = ("/admin/", "/logs/")
_JOBS: Final = "/jobs/"


def owned_routes() -> list[tuple[str, str]]:
    """Method and path of each route that takes the id of something somebody owns."""
    return [
        (method, route.path)
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and "{" in route.path
        for method in sorted(route.methods or ())
        if not route.path.startswith((*_ADMIN, _JOBS))
    ]


async def ids_of(browser: AsyncClient, app: FastAPI) -> dict[str, int | str]:
    """What somebody has: an item with a picture, a file, an access token, a second device."""
    item_id = await add_item(browser, "Mine")
    await browser.post("/account/tokens", data={"name": "Mine", "scope": "read", "days": "7"})
    account = (await browser.get("/account")).text
    email = re.findall(r"[\w.]+@example\.com", account)[0]
    await browser_for(app).post("/sign-in", data={"email": email, "password": PASSWORD})
    sessions = (await browser.get("/account/sessions")).text
    tokens = (await browser.get("/account/tokens")).text
    upload = await browser.post("/items/import", files={"file": ("a.csv", b"title\nMine")})
    return {
        "item_id": item_id,
        "import_id": int(upload.headers["location"].rpartition("/")[2]),
        "picture_id": (await add_picture(app, item_id)).id,
        "file": "thumb.jpg",
        "token_id": int(re.findall(r"/tokens/(\d+)/revoke", tokens)[0]),
        "session_id": int(re.findall(r"/sessions/(\d+)/end", sessions)[0]),
    }


_BODY: Final = {"title": "Theirs", "version": 1, "status": "done"}


async def test_with_the_ids_of_another_there_is_nothing(visit: Visit, app: FastAPI) -> None:
    hana, taro = await visit("Hana"), await visit("Taro")
    ids = {"Hana": await ids_of(hana, app), "Taro": await ids_of(taro, app)}
    for browser, others in ((taro, ids["Hana"]), (hana, ids["Taro"])):
        for method, path in owned_routes():
            url = path.format_map(others)
            answer = (
                await browser.request(method, url, json=_BODY)
                if path.startswith("/api/")
                else await browser.request(method, url, data=_BODY)
            )
            assert answer.status_code == 404, f"{method} {path}"
    for browser, mine in ((hana, ids["Hana"]), (taro, ids["Taro"])):
        item = (await browser.get(f"/api/items/{mine['item_id']}")).json()
        assert (item["title"], item["version"]) == ("Mine", 1)
        file = f"/items/{mine['item_id']}/pictures/{mine['picture_id']}/thumb.jpg"
        assert (await browser.get(file)).status_code == 200
        assert (
            f"/sessions/{mine['session_id']}/end" in (await browser.get("/account/sessions")).text
        )
        assert f"/tokens/{mine['token_id']}/revoke" in (await browser.get("/account/tokens")).text


async def test_the_walk_knows_all_kinds_of_ids(visit: Visit, app: FastAPI) -> None:
    names = {name for _, path in owned_routes() for name in re.findall(r"{(\w+)", path)}
    assert names == set(await ids_of(await visit("Hana"), app))
