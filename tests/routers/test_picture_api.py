"""Pictures as JSON, for programs with a cookie or a token."""

from fastapi import FastAPI
from httpx import AsyncClient

from tests.routers.conftest import add_item, browser_for
from tests.support.pictures import add_picture, photo, png

HTML = b"<html></html>"


async def test_an_upload_is_answered_with_what_was_taken(hana: AsyncClient) -> None:
    item_id = await add_item(hana, "Garden")
    url = f"/api/items/{item_id}/pictures"
    answer = await hana.post(url, files=[("files", ("a.jpg", photo())), ("files", ("b.png", HTML))])
    assert answer.status_code == 202
    body = answer.json()
    assert (body["taken"], len(body["job_id"])) == (1, 36)
    refused = {"name": "b.png", "problem": {"code": "not_a_picture", "values": {}}}
    assert body["refused"] == [refused]
    (picture,) = (await hana.get(url)).json()["pictures"]
    assert (picture["name"], picture["state"], picture["files"]) == ("a.jpg", "waiting", [])
    assert (await hana.get(f"{url}/{picture['id']}")).json() == picture


async def test_without_a_picture_nothing_is_taken(hana: AsyncClient) -> None:
    item_id = await add_item(hana, "Garden")
    answer = await hana.post(f"/api/items/{item_id}/pictures", files={"files": ("b.png", HTML)})
    assert answer.status_code == 422
    body = answer.json()
    assert (body["detail"], len(body["refused"])) == ("No file was taken", 1)
    assert body["trace_id"] == answer.headers["X-Trace-Id"]


async def test_changes(app: FastAPI, hana: AsyncClient) -> None:
    item_id = await add_item(hana, "Garden")
    first = await add_picture(app, item_id, position=1)
    second = await add_picture(app, item_id, position=2)
    url = f"/api/items/{item_id}/pictures"
    changed = await hana.patch(f"{url}/{second.id}", json={"alt": "Gate", "position": 1})
    assert changed.json()["alt"] == "Gate"
    assert [p["id"] for p in (await hana.get(url)).json()["pictures"]] == [second.id, first.id]
    for wrong in ({"position": 0}, {"alt": "x" * 301}, {"alt": "\x00"}):
        assert (await hana.patch(f"{url}/{first.id}", json=wrong)).status_code == 422
    assert (await hana.delete(f"{url}/{first.id}")).status_code == 204
    assert (await hana.delete(f"{url}/{first.id}")).status_code == 404
    (left,) = (await hana.get(url)).json()["pictures"]
    assert left["id"] == second.id


async def test_a_token_gets_the_files_too(app: FastAPI, hana: AsyncClient) -> None:
    item_id = await add_item(hana, "Garden")
    picture = await add_picture(app, item_id)
    made = await hana.post("/account/tokens", data={"name": "t", "scope": "read", "days": "7"})
    page = made.text or (await hana.get("/account/tokens")).text
    token = page.partition("<code")[2].partition(">")[2].partition("<")[0].strip()
    program = browser_for(app)
    program.headers["Authorization"] = f"Bearer {token}"
    url = f"/api/items/{item_id}/pictures"
    (shown,) = (await program.get(url)).json()["pictures"]
    assert [file["type"] for file in shown["files"]] == ["image/jpeg", "image/webp", "image/jpeg"]
    for file in shown["files"]:
        answer = await program.get(file["url"])
        assert (answer.headers["content-type"], answer.content) == (
            file["type"],
            file["name"].encode(),
        )
    assert (await program.delete(f"{url}/{picture.id}")).status_code == 403
    assert (await program.post(url, files={"files": ("a.png", png())})).status_code == 403


async def test_the_documentation_has_the_field_with_files(client: AsyncClient) -> None:
    document = (await client.get("/api/openapi.json")).json()
    upload = document["paths"]["/api/items/{item_id}/pictures"]["post"]
    assert "multipart/form-data" in upload["requestBody"]["content"]
    assert {"202", "401", "404", "422", "503"} <= set(upload["responses"])
    page = (await client.get("/api/docs")).text
    assert "JPEG, PNG, WebP, GIF or AVIF, ten at most." in page
