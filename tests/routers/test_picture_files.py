"""The files of pictures, as browsers get them."""

import io

from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import update

from app.models.user import User
from app.services.pictures import storage
from tests.routers.conftest import Visit, add_item
from tests.support.pictures import add_picture


class TestFiles:
    """What browsers get of a picture, and under which headers."""

    async def test_headers(self, app: FastAPI, hana: AsyncClient) -> None:
        item_id = await add_item(hana, "Garden")
        name = '東京"\u202e\r\n.jpg'
        picture = await add_picture(app, item_id, name=name)
        answer = await hana.get(f"/items/{item_id}/pictures/{picture.id}/large.jpg")
        assert answer.content == b"large.jpg"
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox; script-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "private, no-cache"
        disposition = answer.headers["content-disposition"]
        assert disposition.startswith("inline; filename=\"______.jpg\"; filename*=UTF-8''%E6%9D")
        assert "\r" not in disposition

    async def test_once_known_it_is_not_sent_again(
        self, app: FastAPI, hana: AsyncClient, client: AsyncClient
    ) -> None:
        item_id = await add_item(hana, "Garden")
        picture = await add_picture(app, item_id)
        path = f"/items/{item_id}/pictures/{picture.id}/thumb.webp"
        tag = (await hana.get(path)).headers["etag"]
        for sent in (tag, f'"x", {tag}', f"W/{tag}"):
            again = await hana.get(path, headers={"If-None-Match": sent})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == tag
        assert (await hana.get(path, headers={"If-None-Match": '"x"'})).status_code == 200
        signed_out = await client.get(path, headers={"If-None-Match": tag})
        assert signed_out.status_code == 303

    async def test_only_what_was_made_and_is_ready_is_given_out(
        self, app: FastAPI, hana: AsyncClient
    ) -> None:
        item_id = await add_item(hana, "Garden")
        picture, lost, waiting, failed = [
            await add_picture(app, item_id, status=status)
            for status in ("ready", "ready", "waiting", "failed")
        ]
        folder = storage.picture_storage(app.state.settings)
        folder.write(picture.key, "original", io.BytesIO(b"x"), "")
        folder.remove(lost.key)
        wrong = ("original", "thumb.avif", "large.png", "..%2Foriginal", "%2e%2e%2foriginal")
        paths = [f"{picture.id}/{name}" for name in (*wrong, "thumb.JPG")]
        paths += [f"{other.id}/thumb.jpg" for other in (lost, waiting, failed)]
        for path in paths:
            for prefix in ("", "/api"):
                answer = await hana.get(f"{prefix}/items/{item_id}/pictures/{path}")
                assert answer.status_code == 404, path

    async def test_they_go_and_come_back_with_their_item(
        self, app: FastAPI, hana: AsyncClient
    ) -> None:
        item_id = await add_item(hana, "Garden")
        picture = await add_picture(app, item_id)
        path = f"/items/{item_id}/pictures/{picture.id}/thumb.jpg"
        for action, status in (("delete", 404), ("restore", 200)):
            await hana.post(f"/items/{action}", data={"id": item_id})
            assert (await hana.get(path)).status_code == status

    async def test_an_administrator_sees_no_more_than_others(
        self, app: FastAPI, visit: Visit
    ) -> None:
        hana, admin = await visit("Hana"), await visit("Admin")
        async with app.state.database.system_session() as session:
            await session.execute(update(User).where(User.name == "Admin").values(role="admin"))
        item_id = await add_item(hana, "Garden")
        picture = await add_picture(app, item_id)
        path = f"/items/{item_id}/pictures/{picture.id}/thumb.jpg"
        assert (await admin.get(path)).status_code == 404
