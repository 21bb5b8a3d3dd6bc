"""Two accounts, and every route of the app: what is another's does not exist."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from fastapi import FastAPI
from httpx import AsyncClient, Response
from sqlalchemy import select
from starlette.routing import BaseRoute
from starlette.routing import Route as StarletteRoute

from app.lib.utils import utc_now
from app.models.user import User
from app.services.job_service import JobService
from tests.routers.conftest import ON_BOTH, PASSWORD, Visit, add_item, browser_for
from tests.support.pictures import add_picture

pytestmark = ON_BOTH

Route = tuple[str, str]


def routes(app: FastAPI) -> list[Route]:
    """Method and path of every route of the app, whichever router it came with."""
    return [
        (method, route.path)
        for route in _all_of(app.routes)
        for method in sorted(route.methods or ())
        if method != "HEAD"
    ]


def _all_of(found: Iterable[BaseRoute]) -> Iterator[StarletteRoute]:
    for route in found:
        if isinstance(route, StarletteRoute):
            yield route
        elif (router := getattr(route, "original_router", None)) is not None:
            yield from _all_of(router.routes)


def is_for_admins(path: str) -> bool:
    return path.startswith(("/admin/", "/logs"))


Ids = dict[str, int | str]

# In the trace log, which only administrators see, or of nobody.
_OF_NOBODY: Final[Ids] = {
    "rule_id": 1,
    "fingerprint": "0" * 16,
    "trace_id": "6f1c4d2e-8a3b-4c5d-9e7f-0a1b2c3d4e5f",
    "other_id": "6f1c4d2e-8a3b-4c5d-9e7f-0a1b2c3d4e60",
    "key": "errors",
    "query_id": 1,
    "first_id": 1,
    "last_id": 2,
    "row_id": 1,
    "column": "input_data",
    "provider": "github",
}


async def ids_of(browser: AsyncClient, app: FastAPI) -> Ids:
    """One of everything that whoever is signed in can have."""
    item_id = await add_item(browser, "Mine")
    await browser.post("/account/tokens", data={"name": "Mine", "scope": "read", "days": "7"})
    account = (await browser.get("/account")).text
    email = re.findall(r"[\w.]+@example\.com", account)[0]
    await browser_for(app).post("/sign-in", data={"email": email, "password": PASSWORD})
    sessions = (await browser.get("/account/sessions")).text
    tokens = (await browser.get("/account/tokens")).text
    upload = await browser.post("/items/import", files={"file": ("a.csv", b"title\nMine")})
    async with app.state.database.system_session() as session:
        user_id = (await session.scalars(select(User.id).where(User.email == email))).one()
        job = await JobService(session, user_id).queue("Report", f"of {email}", {})
        job.status, job.ended_at = "failed", utc_now()
    return _OF_NOBODY | {
        "user_id": user_id,
        "job_id": job.id,
        "item_id": item_id,
        "import_id": int(upload.headers["location"].rpartition("/")[2]),
        "picture_id": (await add_picture(app, item_id)).id,
        "file": "thumb.jpg",
        "token_id": int(re.findall(r"/tokens/(\d+)/revoke", tokens)[0]),
        "session_id": int(re.findall(r"/sessions/(\d+)/end", sessions)[0]),
    }


def keys_of(app: FastAPI, method: str, path: str) -> set[str]:
    """Those of the JSON that a route takes: it refuses others."""
    api = app.openapi()
    taken = api["paths"].get(path, {}).get(method.lower(), {}).get("requestBody", {})
    schema = taken.get("content", {}).get("application/json", {}).get("schema", {})
    name = schema.get("$ref", "").rpartition("/")[2]
    schemas = api.get("components", {}).get("schemas", {})
    return set(schemas.get(name, {}).get("properties", {}))


async def ask(browser: AsyncClient, app: FastAPI, route: Route, ids: Ids) -> Response:
    """Send a route what it takes, with the ids of another wherever ids may stand."""
    body = {"title": "Theirs", "version": 1, "status": "done", "ids": [ids["item_id"]]}
    method, path = route
    url = path.format_map(ids)
    if path.startswith("/api/"):
        taken = keys_of(app, method, path)
        return await browser.request(
            method, url, json={key: value for key, value in body.items() if key in taken}
        )
    return await browser.request(method, url, data=body | {"format": "csv"})


async def test_with_the_ids_of_another_there_is_nothing(visit: Visit, app: FastAPI) -> None:
    hana, taro = await visit("Hana"), await visit("Taro")
    ids = {"Hana": await ids_of(hana, app), "Taro": await ids_of(taro, app)}
    for browser, others in ((taro, ids["Hana"]), (hana, ids["Taro"])):
        for method, path in routes(app):
            if "{" not in path:
                continue
            answer = await ask(browser, app, (method, path), others)
            wanted = 403 if is_for_admins(path) else 404
            assert answer.status_code == wanted, f"{method} {path}"
    for browser, mine in ((hana, ids["Hana"]), (taro, ids["Taro"])):
        await still_there(browser, mine)


async def test_lists_and_bulk_actions_know_only_ones_own(visit: Visit, app: FastAPI) -> None:
    """The routes without an id in their path. What they end, such as the visit, is not asked."""
    hana, taro = await visit("Hana"), await visit("Taro")
    theirs = await ids_of(hana, app)
    for method, path in routes(app):
        if "{" in path or path.endswith(("/stream", "/badge", "/sign-out", "/account/delete")):
            continue
        answer = await ask(taro, app, (method, path), theirs)
        assert answer.status_code < 500, f"{method} {path}"
        if is_for_admins(path):
            assert answer.status_code == 403, f"{method} {path}"
        for trace in ("Mine", "Hana", "hana@example.com", str(theirs["job_id"])):
            # The mailbox of development is everybody's.
            assert trace not in answer.text or path == "/dev/mail", f"{method} {path}"
    await still_there(hana, theirs)


async def still_there(browser: AsyncClient, mine: Ids) -> None:
    item = (await browser.get(f"/api/items/{mine['item_id']}")).json()
    assert (item["title"], item["version"]) == ("Mine", 1)
    file = f"/items/{mine['item_id']}/pictures/{mine['picture_id']}/thumb.jpg"
    assert (await browser.get(file)).status_code == 200
    for page, shown in (
        ("/account/sessions", f"/sessions/{mine['session_id']}/end"),
        ("/account/tokens", f"/tokens/{mine['token_id']}/revoke"),
        ("/jobs", f"/jobs/{mine['job_id']}/retry"),
    ):
        assert shown in (await browser.get(page)).text


async def test_the_walk_knows_all_kinds_of_ids(visit: Visit, app: FastAPI) -> None:
    """A new route whose path takes another kind of id belongs into `ids_of`."""
    names = {name for _, path in routes(app) for name in re.findall(r"{(\w+)", path)}
    assert names == set(await ids_of(await visit("Hana"), app))
