"""Items as JSON, as a program with a session cookie sees them."""

import itertools
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from httpx import AsyncClient, Response

from app.lib.tracelog.trace import new_trace_id
from app.routers.item_api_router import router
from tests.routers.conftest import Visit

pytestmark = pytest.mark.anyio

ITEM: dict[str, str | None] = {
    "title": "東京へ",
    "description": "",
    "status": "todo",
    "due_on": None,
}
BODIES: dict[str, Any] = {
    "create_item": ITEM,
    "replace_item": ITEM | {"version": 1},
    "change_item": {"version": 1, "title": "mine"},
    "set_status_of_items": {"ids": [1], "status": "done"},
    "delete_items": {"ids": [1]},
    "restore_items": {"ids": [1]},
}


def every_route() -> list[tuple[str, str, str]]:
    """Method, path and name of each route under /api/items."""
    routes = [route for route in router.routes if isinstance(route, APIRoute)]
    assert len(routes) == 10
    return sorted((m, route.path, route.name) for route in routes for m in route.methods or ())


async def send(
    browser: AsyncClient, method: str, path: str, name: str, item_id: int = 1
) -> Response:
    sent = BODIES.get(name)
    if sent and "ids" in sent:
        sent = {**sent, "ids": [item_id]}
    return await browser.request(method, path.format(item_id=item_id), json=sent)


async def create(browser: AsyncClient, **fields: object) -> dict[str, Any]:
    response = await browser.post("/api/items", json=ITEM | fields)
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


@pytest.mark.parametrize(("method", "path", "name"), every_route())
async def test_nobody_gets_in_without_a_session(
    client: AsyncClient, method: str, path: str, name: str
) -> None:
    response = await send(client, method, path, name)
    assert response.status_code == 401
    assert response.json()["detail"] == "Unauthorized"
    assert response.json()["trace_id"] == response.headers["x-trace-id"]


@pytest.mark.parametrize(("method", "path", "name"), every_route())
async def test_what_is_anothers_is_not_there(
    visit: Visit, method: str, path: str, name: str
) -> None:
    hana, taro = await visit("Hana"), await visit("Taro")
    theirs = await create(taro, title="secret")
    deleted = await create(taro, title="deleted secret")
    await taro.delete(f"/api/items/{deleted['id']}")
    before = (await taro.get("/api/items")).json()
    for item_id in (theirs["id"], deleted["id"], 999):
        response = await send(hana, method, path, name, item_id)
        if "{item_id}" in path:
            assert response.status_code == 404
        else:
            assert response.is_success
        assert "secret" not in response.text
    assert (await taro.get("/api/items")).json() == before
    assert (await taro.post(f"/api/items/{deleted['id']}/restore")).is_success


async def test_a_key_that_is_mistyped_is_named(hana: AsyncClient) -> None:
    await create(hana)
    for method, path, name in every_route():
        if name in BODIES:
            body = {**BODIES[name], "titel": "lost"}
            response = await hana.request(method, path.format(item_id=1), json=body)
            assert response.status_code == 422, name
            (problem,) = response.json()["detail"]
            assert (problem["type"], problem["loc"]) == ("extra_forbidden", ["body", "titel"])
    (item,) = (await hana.get("/api/items")).json()["items"]
    assert item["version"] == 1


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_an_item_is_sent_back_as_it_was_read(hana: AsyncClient, method: str) -> None:
    item = await create(hana)
    changed = await hana.request(method, "/api/items/1", json={**item, "title": "Changed"})
    assert changed.status_code == 200, changed.text
    assert (changed.json()["title"], changed.json()["created_at"]) == (
        "Changed",
        item["created_at"],
    )


async def test_a_refused_method_is_told_with_the_others(hana: AsyncClient) -> None:
    allowed = {
        "/items": "GET, HEAD, POST",
        "/items/1": "GET, HEAD, POST",
        "/items/new": "GET, HEAD",
        "/items/delete": "POST",
        "/api/items": "GET, HEAD, POST",
        "/api/items/1": "DELETE, GET, HEAD, PATCH, PUT",
    }
    for path, methods in allowed.items():
        answer = await hana.request("PROPFIND", path)
        assert (answer.status_code, answer.headers["allow"]) == (405, methods)


async def test_an_item_goes_through_its_life(hana: AsyncClient) -> None:
    created = await hana.post("/api/items", json={"title": " 東京へ ", "due_on": "2026-12-24"})
    item = created.json()
    assert (created.status_code, created.headers["location"]) == (201, f"/api/items/{item['id']}")
    assert {key: item[key] for key in (*ITEM, "version")} == ITEM | {
        "due_on": "2026-12-24",
        "version": 1,
    }
    url = created.headers["location"]
    assert (await hana.get(url)).json() == item

    replaced = await hana.put(url, json={"title": "京都へ", "version": 1})
    assert replaced.status_code == 200
    assert (replaced.json()["title"], replaced.json()["due_on"]) == ("京都へ", None)
    changed = await hana.patch(url, json={"status": "done", "version": 2})
    assert (changed.json()["title"], changed.json()["status"]) == ("京都へ", "done")
    assert changed.json()["version"] == 3

    deleted = await hana.delete(url)
    assert (deleted.status_code, deleted.content) == (204, b"")
    for again in (await hana.delete(url), await hana.get(url)):
        assert again.status_code == 404
    restored = await hana.post(f"{url}/restore")
    assert (restored.status_code, restored.json()["title"]) == (200, "京都へ")
    assert (await hana.post(f"{url}/restore")).status_code == 404


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_who_is_late_gets_what_is_there_now(hana: AsyncClient, method: str) -> None:
    item = await create(hana)
    url = f"/api/items/{item['id']}"
    first = (await hana.patch(url, json={"title": "first", "version": 1})).json()
    for version in (1, 7):
        late = await hana.request(method, url, json={"title": "second", "version": version})
        assert late.status_code == 409
        assert late.json() == {
            "detail": "Conflict",
            "trace_id": late.headers["x-trace-id"],
            "current": first,
        }
    assert (await hana.get(url)).json() == first


async def test_several_at_once(hana: AsyncClient) -> None:
    ids = [(await create(hana, title=f"item {n}"))["id"] for n in range(3)]
    done = await hana.post("/api/items/status", json={"ids": [ids[2], ids[0]], "status": "done"})
    assert [(i["id"], i["status"]) for i in done.json()["items"]] == [
        (ids[2], "done"),
        (ids[0], "done"),
    ]
    deleted = await hana.post("/api/items/delete", json={"ids": [*ids, 999]})
    assert deleted.json() == {"ids": ids}
    assert (await hana.get("/api/items")).json()["items"] == []
    restored = await hana.post("/api/items/restore", json={"ids": ids[:2]})
    assert [item["id"] for item in restored.json()["items"]] == ids[:2]


async def test_pages_lead_through_the_list_and_back(hana: AsyncClient) -> None:
    for title in "dacbe":
        await create(hana, title=title, status="done" if title in "ace" else "todo")

    async def page(**query: str | int) -> dict[str, Any]:
        response = await hana.get("/api/items", params={"limit": 2, **query})
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    order = {"sort": "title", "direction": "asc"}
    first = await page(**order)
    second = await page(**order, after=first["next_cursor"])
    third = await page(**order, after=second["next_cursor"])
    pages = (first, second, third)
    assert ["".join(i["title"] for i in page["items"]) for page in pages] == ["ab", "cd", "e"]
    assert (first["previous_cursor"], third["next_cursor"]) == (None, None)
    assert (await page(**order, before=third["previous_cursor"]))["items"] == second["items"]
    done = await page(**order, status="done", limit=10)
    assert [item["title"] for item in done["items"]] == ["a", "c", "e"]
    assert [item["title"] for item in (await page(q="Ｄ"))["items"]] == ["d"]


@pytest.mark.parametrize(
    "query",
    [
        *({name: "x"} for name in ("status", "sort", "direction", "limit", "after", "before")),
        {"limit": "0"},
        {"limit": "201"},
        {"q": "x" * 201},
        {"sort": "title", "after": "WyJjcmVhdGVkIiwiZGVzYyIsbnVsbCw0XQ"},
    ],
)
async def test_a_query_that_makes_no_sense_is_said_to(
    hana: AsyncClient, query: dict[str, str]
) -> None:
    response = await hana.get("/api/items", params=query)
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"][0] == "query"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"title": ""}',
        b'{"title": 1}',
        b'{"title": "x", "due_on": 20261224}',
        b'{"title": "x", "status": "gone"}',
        b'{"title": "\\u0000"}',
        b'{"title": "\\ud800"}',
        b'{"title": "\xff"}',
    ],
)
async def test_a_body_that_is_no_item_is_said_to(hana: AsyncClient, body: bytes) -> None:
    json = {"Content-Type": "application/json"}
    response = await hana.post("/api/items", content=body, headers=json)
    assert response.status_code in {400, 422}
    assert response.json()["detail"]
    assert (await hana.get("/api/items")).json()["items"] == []


async def test_an_address_that_names_no_item_is_not_there(hana: AsyncClient) -> None:
    await create(hana)
    numbers = ("0", "-1", str(1 << 63), "9" * 5000, "1.5", "1.0", "+1", "1_0", "%201", "１")
    for item_id in ("x", *numbers):
        assert (await hana.get(f"/api/items/{item_id}")).status_code == 404


async def test_all_of_it_is_documented(app: FastAPI) -> None:
    paths = app.openapi()["paths"]
    for method, path, _ in every_route():
        answers = paths[path][method.lower()]["responses"]
        assert "401" in answers
        assert "description" in paths[path][method.lower()]
        if "{item_id}" in path:
            assert "404" in answers
        if method in {"PUT", "PATCH"}:
            assert "ItemConflict" in str(answers["409"])


async def test_a_change_is_in_the_log_under_the_callers_trace(
    hana: AsyncClient, app: FastAPI
) -> None:
    trace_id = new_trace_id()
    await hana.post("/api/items", json=ITEM, headers={"X-Trace-Id": trace_id})
    rows = (app.state.settings.log_dir / "task_progress_logs.csv").read_text("utf-8").splitlines()
    steps = [row for row in rows if trace_id in row]
    for name, status in itertools.product(("Validation", "DB_Insert"), ("START", "SUCCESS")):
        assert any(f"Item_Create,{name},{status}" in row for row in steps)
