"""Items as pages: with forms and links alone."""

import html
import re

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import event

from tests.routers.conftest import HTMX, ORIGIN, Visit, add_item, add_items, titles, version_in

ROUTES = [
    ("GET", "/items"),
    ("GET", "/items/new"),
    ("POST", "/items"),
    ("POST", "/items/delete"),
    ("POST", "/items/restore"),
    ("POST", "/items/status"),
    ("GET", "/items/1"),
    ("GET", "/items/1/edit"),
    ("POST", "/items/1"),
    ("POST", "/items/1/status"),
]
CHANGE = {"title": "Mine", "version": "1", "status": "done"}


class TestWhoMay:
    @pytest.mark.parametrize(("method", "path"), ROUTES)
    async def test_anonymous_is_sent_to_sign_in(
        self, client: AsyncClient, method: str, path: str
    ) -> None:
        answer = await client.request(method, path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?next=")

    @pytest.mark.parametrize(("method", "path"), ROUTES)
    async def test_htmx_moves_the_whole_page_to_sign_in_unless_a_form_was_filled_in(
        self, client: AsyncClient, method: str, path: str
    ) -> None:
        answer = await client.request(method, path, headers=HTMX)
        assert answer.status_code == 401
        if method == "GET":
            assert answer.headers["hx-redirect"] == "/sign-in?next=/items"
        else:
            assert answer.headers["hx-reswap"] == "none"
            assert "nothing is lost" in answer.text
            assert 'href="/sign-in" target="_blank"' in answer.text

    @pytest.mark.parametrize(
        ("method", "path"), [(m, p) for m, p in ROUTES if p.startswith("/items/1")]
    )
    @pytest.mark.parametrize("headers", [{}, HTMX])
    async def test_an_item_of_another_user_does_not_exist(
        self, visit: Visit, method: str, path: str, headers: dict[str, str]
    ) -> None:
        hana, ken = await visit("Hana"), await visit("Ken")
        item_id = await add_item(hana, "Hana's")
        path = path.replace("1", str(item_id))
        answer = await ken.request(method, path, headers=headers, data=CHANGE)
        assert answer.status_code == 404
        assert "Hana&#39;s" not in answer.text
        assert titles(await hana.get("/items")) == ["Hana&#39;s"]

    @pytest.mark.parametrize("path", ["/items/delete", "/items/restore", "/items/status"])
    async def test_items_of_another_user_are_passed_over(self, visit: Visit, path: str) -> None:
        hana, ken = await visit("Hana"), await visit("Ken")
        item_id = str(await add_item(hana, "Hana's"))
        await ken.post(path, data={"id": item_id, "status": "done"})
        page = await hana.get("/items?status=todo")
        assert titles(page) == ["Hana&#39;s"]

    @pytest.mark.parametrize("item_id", ["0", "-1", "abc", "9223372036854775808", "1e3"])
    async def test_an_id_that_is_none_is_not_found(self, hana: AsyncClient, item_id: str) -> None:
        assert (await hana.get(f"/items/{item_id}")).status_code == 404


class TestList:
    async def test_an_empty_list_says_what_to_do(self, hana: AsyncClient) -> None:
        page = await hana.get("/items")
        assert "Add the first item" in page.text
        assert (await hana.get("/items?q=nothing")).text.count("No item matches.") == 1

    async def test_search_filter_and_sort_are_in_the_url(self, hana: AsyncClient) -> None:
        await add_item(hana, "Beta", status="done")
        await add_item(hana, "Alpha", status="done")
        await add_item(hana, "Alphabet")
        assert titles(await hana.get("/items")) == ["Alphabet", "Alpha", "Beta"]
        page = await hana.get("/items?q=alpha&sort=title&direction=asc&status=done")
        assert titles(page) == ["Alpha"]
        assert 'value="alpha"' in page.text
        # Every link of the page keeps the rest of the state.
        links = {html.unescape(link) for link in re.findall(r'href="(/items\?[^"]+)"', page.text)}
        assert "/items?q=alpha&status=todo&sort=title&direction=asc" in links
        assert "/items?q=alpha&status=done&sort=title" in links, "turned round"
        assert "/items?q=alpha&status=done&sort=due&direction=asc" in links

    @pytest.mark.parametrize("sort", ["title", "status", "due", "updated", "created"])
    @pytest.mark.parametrize("direction", ["asc", "desc"])
    async def test_the_sorted_column_says_so(
        self, hana: AsyncClient, sort: str, direction: str
    ) -> None:
        await add_item(hana, "One")
        page = await hana.get(f"/items?sort={sort}&direction={direction}")
        assert page.text.count("aria-sort=") == 1
        assert f'aria-sort="{direction}ending"' in page.text

    async def test_what_is_not_valid_in_the_url_counts_as_not_given(
        self, hana: AsyncClient
    ) -> None:
        await add_item(hana, "One")
        for state in ("sort=size", "direction=up", "status=x", "after=zzz", "after=a&before=b"):
            page = await hana.get(f"/items?{state}")
            assert (page.status_code, titles(page)) == (200, ["One"]), state
        assert titles(await hana.get("/items?status=x&q=two")) == []

    async def test_pages_follow_each_other_to_the_end_and_back(
        self, hana: AsyncClient, app: FastAPI
    ) -> None:
        await add_items(app, *(f"Item {number:03}" for number in range(120)))
        expected = [f"Item {number:03}" for number in reversed(range(120))]
        page = await hana.get("/items")
        forward = titles(page)
        while link := re.search(r'href="([^"]*)" rel="next"', page.text):
            page = await hana.get(html.unescape(link[1]))
            forward += titles(page)
        assert forward == expected
        backward = titles(page)
        while link := re.search(r'href="([^"]*)" rel="prev"', page.text):
            page = await hana.get(html.unescape(link[1]))
            backward = titles(page) + backward
        assert backward[-120:] == expected

    async def test_a_page_that_is_gone_starts_over(self, hana: AsyncClient, app: FastAPI) -> None:
        await add_items(app, *(f"Item {number:02}" for number in range(51)))
        link = re.search(r'href="([^"]*)" rel="next"', (await hana.get("/items")).text)
        assert link
        last_page = html.unescape(link[1])
        item_id = re.findall(r'id="item-(\d+)"', (await hana.get(last_page)).text)
        headers = HTMX | {"HX-Current-URL": ORIGIN + last_page}
        answer = await hana.post("/items/delete", data={"id": item_id}, headers=headers)
        assert len(titles(answer)) == 50

    async def test_what_users_write_is_shown_and_never_run(self, hana: AsyncClient) -> None:
        title = "<script>alert('x')</script>\"'`{{ 7 * 7 }}"
        item_id = await add_item(hana, title, description="<img src=x onerror=alert(1)>")
        for path in ("/items", f"/items/{item_id}", f"/items/{item_id}/edit"):
            page = (await hana.get(path)).text
            assert "<script>alert" not in page
            assert "<img" not in page
            assert html.escape(title) in page.replace("&#34;", "&quot;").replace("&#39;", "&#x27;")

    async def test_a_page_asks_the_database_twice_and_with_a_search_five_times(
        self, hana: AsyncClient, app: FastAPI
    ) -> None:
        """Who is it, and which items; where a search can find any: parts, packs."""
        await add_items(app, *(f"Item {number}" for number in range(60)))
        for url, expected in (("/items?sort=title", 2), ("/items?q=Item&sort=title", 5)):
            statements: list[str] = []

            def count(*arguments: object, into: list[str] = statements) -> None:
                into.append(str(arguments[2]))

            engine = app.state.database.engine.sync_engine
            event.listen(engine, "before_cursor_execute", count)
            await hana.get(url)
            event.remove(engine, "before_cursor_execute", count)
            assert len(statements) == expected, statements


class TestWithoutScript:
    async def test_create_edit_delete_undo(self, hana: AsyncClient) -> None:
        answer = await hana.post("/items", data={"title": " Buy  milk ", "due_on": "2026-12-01"})
        assert answer.headers["location"] == "/items"
        page = await hana.get("/items")
        assert "“Buy milk” is added." in page.text
        assert "is added" not in (await hana.get("/items")).text, "it is said once"
        item_id = re.findall(r'id="item-(\d+)"', page.text)[0]

        here = {"Referer": f"{ORIGIN}/items?status=todo"}
        form = await hana.get(f"/items/{item_id}/edit", headers=here)
        change = {
            "title": "Buy oat milk",
            "version": version_in(form),
            "back": "/items?status=todo",
        }
        assert '<input type="hidden" name="back" value="/items?status=todo">' in form.text
        answer = await hana.post(f"/items/{item_id}", data=change)
        assert answer.headers["location"] == "/items?status=todo"
        assert "“Buy oat milk” is saved." in (await hana.get("/items")).text

        answer = await hana.post("/items/delete", data={"id": item_id}, headers=here)
        assert answer.headers["location"] == "/items?status=todo"
        page = await hana.get("/items")
        assert titles(page) == []
        undo = re.search(r'action="/items/restore".*?</form>', page.text, re.DOTALL)
        assert undo
        assert f'name="id" value="{item_id}"' in undo[0]
        await hana.post("/items/restore", data={"id": item_id})
        assert titles(await hana.get("/items")) == ["Buy oat milk"]

    async def test_after_deleting_on_its_own_page_the_list_comes(self, hana: AsyncClient) -> None:
        item_id = str(await add_item(hana, "One"))
        here = {"Referer": f"{ORIGIN}/items/{item_id}"}
        answer = await hana.post("/items/delete", data={"id": item_id}, headers=here)
        assert answer.headers["location"] == "/items"

    async def test_a_form_with_a_problem_comes_back_as_a_page(self, hana: AsyncClient) -> None:
        answer = await hana.post("/items", data={"title": "", "description": "kept"})
        assert answer.status_code == 422
        assert "<html" in answer.text
        assert "Please fill this in." in answer.text
        assert ">\nkept</textarea>" in answer.text

    async def test_several_at_once(self, hana: AsyncClient) -> None:
        ids = [str(await add_item(hana, title)) for title in ("One", "Two", "Three")]
        await hana.post("/items/status", data={"id": ids[:2], "status": "done"})
        page = await hana.get("/items?status=done")
        assert titles(page) == ["Two", "One"]
        assert "2 items changed." in page.text
        await hana.post("/items/delete", data={"id": ids[1:]})
        assert titles(await hana.get("/items")) == ["One"]

    @pytest.mark.parametrize("path", ["/items/delete", "/items/restore", "/items/status"])
    async def test_nothing_chosen_is_said(self, hana: AsyncClient, path: str) -> None:
        await add_item(hana, "One")
        assert (await hana.post(path, data={"status": "done"})).status_code == 303
        page = await hana.get("/items")
        assert "Select the items first." in page.text
        assert titles(page) == ["One"]

    async def test_a_click_moves_the_status_on(self, hana: AsyncClient) -> None:
        item_id = await add_item(hana, "One")
        path = f"/items/{item_id}/status"
        for expected in ("doing", "done", "todo"):
            page = await hana.get(f"/items/{item_id}")
            button = re.search(r'name="status" value="(\w+)"', page.text)
            assert button
            assert button[1] == expected
            assert (await hana.post(path, data={"status": expected})).status_code == 303

    @pytest.mark.parametrize("headers", [{}, HTMX])
    async def test_a_status_that_is_none_is_refused(
        self, hana: AsyncClient, headers: dict[str, str]
    ) -> None:
        item_id = await add_item(hana, "One")
        for data in ({"status": "lost"}, {}):
            answer = await hana.post(f"/items/{item_id}/status", data=data, headers=headers)
            assert answer.status_code == 422
