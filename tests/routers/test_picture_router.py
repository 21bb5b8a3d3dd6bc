"""Pictures as a part of an item's page. The engine does not run here; its work is added by hand."""

import errno
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response
from sqlalchemy import select, update
from starlette import formparsers

from app.models.job import Job
from app.models.picture import Picture
from app.routers import picture_files
from app.services.pictures import storage
from app.services.pictures.errors import StorageAway
from app.services.pictures.picture_service import MOST_PER_ITEM
from tests.routers.conftest import HTMX, Visit, add_item
from tests.support.gotrue import SECRET
from tests.support.pictures import add_picture, bomb, photo, png
from tests.support.statements import statements
from tests.support.supabase_storage import SupabaseStorage, bucket

HTML = b"<html><script>alert(1)</script></html>"


async def upload(browser: AsyncClient, item_id: int, *files: tuple[str, bytes]) -> Response:
    parts = [("files", (name, content, "image/png")) for name, content in files]
    return await browser.post(f"/items/{item_id}/pictures", files=parts)


async def rows(app: FastAPI) -> list[Picture]:
    async with app.state.database.system_session() as session:
        return list(await session.scalars(select(Picture).order_by(Picture.position)))


async def jobs(app: FastAPI) -> list[Job]:
    async with app.state.database.system_session() as session:
        return list(await session.scalars(select(Job)))


def files_below(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def test_several_at_once_wait_for_one_job(
    app: FastAPI, hana: AsyncClient, tmp_path: Path
) -> None:
    item_id = await add_item(hana, "Garden")
    answer = await upload(hana, item_id, ("花.jpg", photo()), ("red.png", png()))

    assert answer.headers["location"] == f"/items/{item_id}"
    assert "-jobs=1" in str(answer.headers.get_list("set-cookie"))
    page = (await hana.get(f"/items/{item_id}")).text
    assert "2 pictures are being prepared." in page
    assert page.count("It is being prepared.") == 2
    assert page.count('hx-trigger="every 1s"') == 2
    (job,) = await jobs(app)
    assert (job.kind, job.title) == ("Image_Optimization", "Garden")
    pictures = await rows(app)
    assert [(p.name, p.status, p.job_id) for p in pictures] == [
        ("花.jpg", "waiting", job.id),
        ("red.png", "waiting", job.id),
    ]
    assert files_below(tmp_path / "pictures") == ["original", "original"]


_HOSTILE: Final = (
    (HTML, "This is no picture", "どの画像でもありません"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "This is no picture", "どの画像でもありません"),
    (b"", "The file is empty.", "ファイルが空です"),
    (bomb(), "The picture has more than 25 megapixels.", "25 メガピクセルを超えています"),
)


async def test_a_hostile_file_gets_a_sentence_and_leaves_nothing(
    app: FastAPI, hana: AsyncClient, tmp_path: Path
) -> None:
    item_id = await add_item(hana, "Garden")
    for content, *sentences in _HOSTILE:
        for language, sentence in zip(("en", "ja"), sentences, strict=True):
            hana.headers["Accept-Language"] = language
            await upload(hana, item_id, ("../../etc/<b>a.png", content))
            page = (await hana.get(f"/items/{item_id}")).text
            said = page.partition('id="toasts"')[2].partition('id="announcer"')[0]
            assert ">&lt;b&gt;a.png: " in said
            assert sentence in said
    assert (await rows(app), await jobs(app)) == ([], [])
    assert files_below(tmp_path / "pictures") == []


async def test_the_good_ones_are_taken_though_others_are_not(
    app: FastAPI, hana: AsyncClient
) -> None:
    item_id = await add_item(hana, "Garden")
    await upload(hana, item_id, *[(f"{n}.png", HTML) for n in range(6)], ("red.png", png()))
    page = (await hana.get(f"/items/{item_id}")).text
    assert "1 picture is being prepared." in page
    assert "0.png: This is no picture" in page
    assert "2 more files were not taken." in page
    assert [picture.name for picture in await rows(app)] == ["red.png"]


async def test_there_is_room_for_so_many(app: FastAPI, hana: AsyncClient) -> None:
    item_id = await add_item(hana, "Garden")
    for position in range(1, MOST_PER_ITEM):
        await add_picture(app, item_id, position=position, files=[])
    await upload(hana, item_id, ("a.png", png()), ("b.png", png()))
    assert "b.png: An item has at most 30 pictures" in (await hana.get(f"/items/{item_id}")).text
    assert len(await rows(app)) == MOST_PER_ITEM


async def test_a_form_without_files_says_what_is_missing(hana: AsyncClient) -> None:
    item_id = await add_item(hana, "Garden")
    for parts in ({"files": ("", b"", "application/octet-stream")}, {"other": ("x", b"y")}):
        await hana.post(f"/items/{item_id}/pictures", files=parts)
        assert "Choose the pictures first." in (await hana.get(f"/items/{item_id}")).text


async def test_the_script_is_told_where_to_go(hana: AsyncClient) -> None:
    item_id = await add_item(hana, "Garden")
    answer = await hana.post(
        f"/items/{item_id}/pictures",
        files={"files": ("red.png", png())},
        headers={"HX-Request": "true"},
    )
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (200, f"/items/{item_id}")


async def test_nothing_is_read_from_whom_it_does_not_concern(
    app: FastAPI, client: AsyncClient, visit: Visit
) -> None:
    item_id = await add_item(await visit("Hana"), "Garden")
    read: list[str] = []

    async def body(who: str) -> AsyncIterator[bytes]:
        read.append(who)
        yield b"--x\r\n"

    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    for who, browser, status in (("nobody", client, 303), ("Taro", await visit("Taro"), 404)):
        answer = await browser.post(f"/items/{item_id}/pictures", content=body(who), headers=kind)
        assert answer.status_code == status
    assert read == []


async def test_no_connection_is_held_while_a_file_comes_in(app: FastAPI, hana: AsyncClient) -> None:
    item_id = await add_item(hana, "Garden")
    held: list[int] = []
    head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'

    async def body() -> AsyncIterator[bytes]:
        for piece in (head, png(), b"\r\n--x--\r\n"):
            held.append(app.state.database.engine.pool.checkedout())
            yield piece

    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    await hana.post(f"/items/{item_id}/pictures", content=body(), headers=kind)
    assert held == [0, 0, 0]
    assert len(await rows(app)) == 1


async def test_a_body_beyond_all_limits_is_refused(hana: AsyncClient) -> None:
    item_id = await add_item(hana, "Garden")
    length = {"Content-Length": str(200 * 1_048_576)}
    answer = await hana.post(f"/items/{item_id}/pictures", content=b"", headers=length)
    assert answer.status_code == 413


async def test_a_storage_that_is_away_is_told(
    app: FastAPI, hana: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    item_id = await add_item(hana, "Garden")
    picture = await add_picture(app, item_id)

    def away(*_: object) -> None:
        raise StorageAway

    monkeypatch.setattr(storage.PictureFolder, "write", away)
    monkeypatch.setattr(storage.PictureFolder, "read", away)
    await upload(hana, item_id, ("red.png", png()))
    assert "could not be stored." in (await hana.get(f"/items/{item_id}")).text
    path = f"/items/{item_id}/pictures/{picture.id}/thumb.jpg"
    answer = await hana.get(path)
    assert (answer.status_code, "out of reach" in answer.text) == (503, True)
    assert (await hana.get(f"/api{path}")).status_code == 503
    assert (await hana.post(f"/api/items/{item_id}/pictures")).status_code == 422


async def test_a_disk_that_is_full_where_files_come_in_is_told(
    hana: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    item_id = await add_item(hana, "Garden")

    def full(**_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(formparsers, "SpooledTemporaryFile", full)
    await upload(hana, item_id, ("red.png", png()))
    assert "could not be stored." in (await hana.get(f"/items/{item_id}")).text
    files = [("files", ("red.png", png()))]
    assert (await hana.post(f"/api/items/{item_id}/pictures", files=files)).status_code == 503


async def test_in_supabase_storage_they_come_and_go_through_the_app(
    app: FastAPI, hana: AsyncClient, tmp_path: Path
) -> None:
    server = SupabaseStorage()
    app.dependency_overrides[picture_files.storage] = lambda: bucket(server)
    item_id = await add_item(hana, "Garden")
    await upload(hana, item_id, ("red.png", png()))
    (picture,) = await rows(app)
    assert server.objects == {
        f"pictures/{picture.key}/original": (png(), "application/octet-stream")
    }
    server.objects[f"pictures/{picture.key}/thumb.jpg"] = (b"jpeg", "text/html")
    async with app.state.database.system_session() as session:
        await session.execute(update(Picture).values(status="ready", files=["thumb.jpg"]))
    answer = await hana.get(f"/items/{item_id}/pictures/{picture.id}/thumb.jpg")
    assert (answer.content, answer.headers["content-type"]) == (b"jpeg", "image/jpeg")
    said = (await hana.get(f"/items/{item_id}")).text + str(answer.headers)
    said += "".join(path.read_text() for path in (tmp_path / "logs").glob("*.csv"))
    assert SECRET not in said
    assert "supabase.co" not in said


async def two(app: FastAPI, browser: AsyncClient) -> tuple[int, Picture, Picture]:
    item_id = await add_item(browser, "Garden")
    return (
        item_id,
        await add_picture(app, item_id, name="a.png", position=1),
        await add_picture(app, item_id, name="b.png", position=2, alt="<Gate>"),
    )


async def test_a_picture_is_shown_in_the_formats_it_has(app: FastAPI, hana: AsyncClient) -> None:
    item_id, first, _ = await two(app, hana)
    page = (await hana.get(f"/items/{item_id}")).text
    url = f"/items/{item_id}/pictures/{first.id}"
    assert f'<source type="image/webp" srcset="{url}/thumb.webp">' in page
    assert f'<img src="{url}/thumb.jpg" width="60" height="40" alt="Picture 1"' in page
    assert f'href="{url}/large.jpg"' in page
    assert 'alt="&lt;Gate&gt;"' in page


async def test_words_order_and_deletion(app: FastAPI, hana: AsyncClient) -> None:
    for headers in ({}, HTMX):
        await change_and_delete(app, hana, headers)


async def change_and_delete(app: FastAPI, hana: AsyncClient, headers: dict[str, str]) -> None:
    item_id, first, second = await two(app, hana)
    url = f"/items/{item_id}/pictures"

    async def send(path: str, **fields: str) -> str:
        answer = await hana.post(f"{url}/{path}", data=fields, headers=headers)
        if headers:
            part = "<li" if path.endswith("/alt") else "<section"
            assert answer.text.lstrip().startswith(part)
            return answer.text
        assert answer.headers["location"] == f"/items/{item_id}"
        return (await hana.get(f"/items/{item_id}")).text

    assert "The description is saved." in await send(f"{first.id}/alt", alt="  A  flower ")
    page = await send(f"{first.id}/move", to="later")
    assert page.index("&lt;Gate&gt;") < page.index("A flower")
    await send(f"{first.id}/move", to="later")  # beyond the end is the end
    assert [p.name for p in await rows(app)] == ["b.png", "a.png"]
    await send(f"{first.id}/move", to="earlier")
    assert [(p.name, p.alt) for p in await rows(app)] == [
        ("a.png", "A flower"),
        ("b.png", "<Gate>"),
    ]
    assert "too long" in await send(f"{first.id}/alt", alt="x" * 301)
    assert "too long" in await send(f"{first.id}/alt", alt="\x00")
    assert "The picture is deleted." in await send(f"{first.id}/delete")
    assert [picture.id for picture in await rows(app)] == [second.id]
    await send(f"{second.id}/delete")


_SHOWN: Final[tuple[tuple[str, str | None, str], ...]] = (
    ("waiting", "running", "It is being prepared."),
    ("waiting", "failed", "Its preparation has stopped."),
    ("waiting", None, "Its preparation has stopped."),
    ("failed", "done", "The picture is damaged or incomplete."),
    ("ready", "done", "<img"),
)


async def test_htmx_asks_for_one_picture_until_it_is_ready(app: FastAPI, hana: AsyncClient) -> None:
    item_id = await add_item(hana, "Garden")
    await upload(hana, item_id, ("a.png", png()))
    (picture,) = await rows(app)
    path = f"/items/{item_id}/pictures/{picture.id}"
    for status, job, shown in _SHOWN:
        values: dict[str, Any] = {
            "status": status,
            "files": ["large.jpg", "thumb.webp", "thumb.jpg"],
            "problem": {"code": "broken", "values": {}} if status == "failed" else None,
            "job_id": picture.job_id if job else "forgotten",
        }
        async with app.state.database.system_session() as session:
            await session.execute(update(Picture).values(**values))
            await session.execute(update(Job).values(status=job or "done"))
        part = (await hana.get(path, headers=HTMX)).text
        assert shown in part
        assert ("every 1s" in part) == (job == "running")
    assert (await hana.get(path)).headers["location"] == f"/items/{item_id}"
    await hana.post(f"{path}/delete")
    assert "every" not in (await hana.get(path, headers=HTMX)).text
    assert (await hana.get(path)).status_code == 404


async def test_many_pictures_ask_the_database_as_often_as_one(
    app: FastAPI, hana: AsyncClient
) -> None:
    item_id = await add_item(hana, "Garden")
    counts = []
    for many in (1, 8):
        for position in range(many):
            await add_picture(app, item_id, position=position)
        with statements(app.state.database.engine) as sent:
            await hana.get(f"/items/{item_id}")
        counts.append(len(sent))
    assert counts[0] == counts[1]
