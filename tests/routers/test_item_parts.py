"""Items as parts of pages, for htmx."""

import re

from httpx import AsyncClient

from tests.routers.conftest import HTMX, ORIGIN, add_item, titles, version_in


class TestParts:
    async def test_htmx_gets_the_list_alone_and_caches_know(self, hana: AsyncClient) -> None:
        await add_item(hana, "One")
        part = await hana.get("/items", headers=HTMX)
        assert part.text.lstrip().startswith('<section id="items"')
        assert titles(part) == ["One"]
        for answer in (part, await hana.get("/items")):
            assert {"HX-Request", "HX-Request-Type"} <= set(answer.headers["vary"].split(", "))

    async def test_back_and_forward_get_the_whole_page(self, hana: AsyncClient) -> None:
        headers = HTMX | {"HX-History-Restore-Request": "true"}
        assert "<html" in (await hana.get("/items", headers=headers)).text

    async def test_a_new_filter_is_a_step_of_history_and_typing_on_is_not(
        self, hana: AsyncClient
    ) -> None:
        async def step(before: str, now: str) -> dict[str, str]:
            headers = HTMX | {"HX-Current-URL": ORIGIN + before}
            answer = await hana.get(now, headers=headers)
            return {k: v for k, v in answer.headers.items() if k.endswith("-url")}

        assert await step("/items", "/items?q=a&status=") == {"hx-push-url": "/items?q=a"}
        assert await step("/items?q=a", "/items?q=ab") == {"hx-replace-url": "/items?q=ab"}
        assert await step("/items?q=ab", "/items?q=") == {"hx-push-url": "/items"}
        assert await step("/items?q=a", "/items?q=a&status=done") == {
            "hx-push-url": "/items?q=a&status=done"
        }

    async def test_a_row_a_form_in_its_place_and_the_row_again(self, hana: AsyncClient) -> None:
        item_id = await add_item(hana, "Before")
        form = await hana.get(f"/items/{item_id}/edit", headers=HTMX)
        assert form.text.lstrip().startswith(f'<tr id="item-{item_id}"')
        assert "autofocus" in form.text
        change = {"title": "After", "version": version_in(form)}
        row = await hana.post(f"/items/{item_id}", data=change, headers=HTMX)
        assert row.status_code == 200
        assert titles(row) == ["After"]
        assert '<hx-partial hx-target="#toasts"' in row.text
        cancelled = await hana.get(f"/items/{item_id}", headers=HTMX)
        assert titles(cancelled) == ["After"]

    async def test_a_problem_stands_beside_its_field_and_gets_the_focus(
        self, hana: AsyncClient
    ) -> None:
        item_id = await add_item(hana, "Good")
        change = {"title": "Good", "due_on": "soon", "version": "1"}
        answer = await hana.post(f"/items/{item_id}", data=change, headers=HTMX)
        assert answer.status_code == 422
        field = re.search(rf'<input[^>]*id="due_on-{item_id}"[^>]*>', answer.text)
        assert field
        assert f'aria-describedby="due_on-{item_id}-error"' in field[0]
        assert 'aria-invalid="true"' in field[0]
        assert "autofocus" in field[0]
        assert 'value="soon"' in field[0], "what was typed is not lost"
        assert f'id="due_on-{item_id}-error"' in answer.text

    async def test_a_new_item_empties_the_form_and_joins_the_list_as_it_is_filtered(
        self, hana: AsyncClient
    ) -> None:
        await add_item(hana, "Other", status="done")
        headers = HTMX | {"HX-Current-URL": f"{ORIGIN}/items?status=todo"}
        answer = await hana.post("/items", data={"title": "New"}, headers=headers)
        assert answer.text.lstrip().startswith('<hx-partial hx-target="#items"')
        assert titles(answer) == ["New"]

    async def test_a_page_before_that_is_none(self, hana: AsyncClient) -> None:
        headers = HTMX | {"HX-Current-URL": "http://[::1"}
        answer = await hana.post("/items", data={"title": "Mine"}, headers=headers)
        assert titles(answer) == ["Mine"]

    async def test_deleting_answers_with_the_list_and_the_way_back(self, hana: AsyncClient) -> None:
        first, second = await add_item(hana, "One"), await add_item(hana, "Two")
        answer = await hana.post("/items/delete", data={"id": str(first)}, headers=HTMX)
        assert titles(answer) == ["Two"]
        toast = answer.text.partition('<hx-partial hx-target="#toasts"')[2]
        assert f'name="id" value="{first}"' in toast
        assert f'name="id" value="{second}"' not in toast
        answer = await hana.post("/items/restore", data={"id": str(first)}, headers=HTMX)
        assert titles(answer) == ["Two", "One"]

    async def test_an_error_leaves_the_page_as_it_is_and_is_told(self, hana: AsyncClient) -> None:
        answer = await hana.get("/items/999/edit", headers=HTMX)
        assert answer.status_code == 404
        assert answer.headers["hx-reswap"] == "none"
        assert '<hx-partial hx-target="#toasts"' in answer.text
        assert answer.headers["x-trace-id"] in answer.text
