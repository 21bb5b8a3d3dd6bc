"""An item that two have changed at once."""

import pytest
from httpx import AsyncClient

from tests.routers.conftest import HTMX, add_item, titles, version_in


@pytest.mark.parametrize("headers", [{}, HTMX])
class TestConflict:
    async def test_both_versions_are_shown_and_the_reader_decides(
        self, hana: AsyncClient, headers: dict[str, str]
    ) -> None:
        item_id = await add_item(hana, "Start", description="First")
        theirs = {"title": "Theirs", "description": "First", "version": "1"}
        await hana.post(f"/items/{item_id}", data=theirs)
        mine = {"title": "Start", "description": "Mine", "version": "1", "back": "/items?q=x"}
        answer = await hana.post(f"/items/{item_id}", data=mine, headers=headers)
        assert answer.status_code == 409
        assert 'value="Start"' in answer.text, "my title"
        assert ">Theirs<" in answer.text, "the saved title"
        assert ">\nMine</textarea>" in answer.text
        assert version_in(answer) == "2"
        assert titles(await hana.get("/items")) == ["Theirs"], "nothing was overwritten"

        take = mine | {"version": "2", "take": "title"}
        answer = await hana.post(f"/items/{item_id}", data=take, headers=headers)
        assert answer.status_code == 409
        assert 'type="hidden" name="title" value="Theirs"' in answer.text, "decided"
        assert ">\nMine</textarea>" in answer.text

        merged = mine | {"title": "Theirs", "version": "2"}
        answer = await hana.post(f"/items/{item_id}", data=merged, headers=headers)
        assert answer.status_code in {200, 303}
        page = (await hana.get(f"/items/{item_id}")).text
        assert "Theirs" in page
        assert "Mine" in page

    async def test_a_third_version_in_between_is_another_conflict(
        self, hana: AsyncClient, headers: dict[str, str]
    ) -> None:
        item_id = await add_item(hana, "Start")
        for number in (1, 2):
            change = {"title": f"Theirs {number}", "version": str(number)}
            await hana.post(f"/items/{item_id}", data=change)
        mine = {"title": "Mine", "version": "2"}
        answer = await hana.post(f"/items/{item_id}", data=mine, headers=headers)
        assert answer.status_code == 409
        assert ">Theirs 2<" in answer.text
        assert version_in(answer) == "3"

    async def test_deleted_meanwhile_is_told_and_saving_brings_it_back(
        self, hana: AsyncClient, headers: dict[str, str]
    ) -> None:
        item_id = await add_item(hana, "Start")
        await hana.post(f"/items/{item_id}", data={"title": "Theirs", "version": "1"})
        await hana.post("/items/delete", data={"id": str(item_id)})
        mine = {"title": "Mine", "version": "1", "back": f"/items/{item_id}"}
        answer = await hana.post(f"/items/{item_id}", data=mine, headers=headers)
        assert answer.status_code == 409
        assert "This item was deleted while you were editing it." in answer.text
        assert ">Theirs<" in answer.text
        assert titles(await hana.get("/items")) == []
        assert f'href="/items/{item_id}"' not in answer.text, "that is gone"

        mine |= {"version": version_in(answer), "restore": "true"}
        answer = await hana.post(
            f"/items/{item_id}", data=mine | {"take": "title"}, headers=headers
        )
        assert answer.status_code == 409
        assert 'type="hidden" name="restore" value="true"' in answer.text

        answer = await hana.post(f"/items/{item_id}", data=mine, headers=headers)
        assert answer.status_code in {200, 303}
        assert titles(await hana.get("/items")) == ["Mine"]

    async def test_brought_back_meanwhile_is_another_conflict(
        self, hana: AsyncClient, headers: dict[str, str]
    ) -> None:
        item_id = await add_item(hana, "Start")
        for path in ("/items/delete", "/items/restore"):
            await hana.post(path, data={"id": str(item_id)})
        await hana.post(f"/items/{item_id}", data={"title": "Theirs", "version": "3"})
        mine = {"title": "Mine", "version": "2", "restore": "true"}
        for deleted in (False, True):
            if deleted:
                await hana.post("/items/delete", data={"id": str(item_id)})
            answer = await hana.post(f"/items/{item_id}", data=mine, headers=headers)
            assert answer.status_code == 409
            assert ">Theirs<" in answer.text
            assert titles(await hana.get("/items")) == ["Theirs"]

    async def test_what_is_gone_already_is_said(
        self, hana: AsyncClient, headers: dict[str, str]
    ) -> None:
        item = {"id": str(await add_item(hana, "Start")), "status": "done"}
        said = {
            "/items/restore": "That is back already",
            "/items/delete": "That is deleted already.",
            "/items/status": "That is not there any more.",
        }
        await hana.post("/items/restore", data=item, headers=headers)
        for path, text in said.items():
            if path == "/items/delete":
                await hana.post(path, data=item)
                await hana.get("/items")  # where that is said
            answer = await hana.post(path, data=item, headers=headers)
            if not headers:
                answer = await hana.get("/items")
            assert text in answer.text
            assert 'action="/items/restore"' not in answer.text

    async def test_too_many_are_not_none(self, hana: AsyncClient, headers: dict[str, str]) -> None:
        ids = [str(number) for number in range(1, 202)]
        answer = await hana.post("/items/delete", data={"id": ids}, headers=headers)
        page = answer if headers else await hana.get("/items")
        assert "Select at most 200 items, please." in page.text
