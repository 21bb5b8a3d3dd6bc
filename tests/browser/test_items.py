"""The list of items in a real browser, with htmx."""

import re

import pytest
from playwright.sync_api import Page, Request, Route, expect

from app.product import SLUG
from tests.browser.conftest import Visit, Visitor

pytestmark = pytest.mark.browser

FRUIT = ("Apple", "Banana", "Cherry")


@pytest.fixture
def visitor(visit: Visit) -> Visitor:
    visitor = visit()
    visitor.add(*FRUIT)
    visitor.go("/items")
    return visitor


def rows(page: Page) -> list[str]:
    return page.locator("tr.item td:nth-child(2) a").all_inner_texts()


def row(page: Page, title: str) -> str:
    """A selector of the row, that stays right when its content changes."""
    item = page.locator("tr.item", has_text=title)
    return f"#{item.get_attribute('id')}"


class TestState:
    def test_typing_searches_and_is_one_step_of_history(self, visitor: Visitor) -> None:
        page = visitor.page
        page.locator("#q").press_sequentially("ban", delay=30)
        expect(page).to_have_url(re.compile(r"/items\?q=ban$"))
        expect(page.locator("tr.item")).to_have_count(1)
        expect(page.locator("#q")).to_be_focused()
        expect(page.locator("#announcer")).to_have_text("1 item on this page")
        page.locator("#q").fill("bana")
        expect(page).to_have_url(re.compile(r"q=bana$"))
        page.go_back()
        expect(page).to_have_url(re.compile(r"/items$"))
        expect(page.locator("tr.item")).to_have_count(3)
        expect(page.locator("#q")).to_have_value("")
        page.go_forward()
        expect(page.locator("tr.item")).to_have_count(1)
        expect(page.locator("#q")).to_have_value("bana")

    def test_one_ring_shows_that_the_search_has_the_focus(self, visitor: Visitor) -> None:
        page = visitor.page
        page.locator("#q").focus()
        expect(page.locator("#q")).to_have_css("outline-style", "none")
        frame = page.locator("label:has(#q)")
        expect(frame).to_have_css("outline-style", "solid")
        color = page.locator("#new").evaluate("it => getComputedStyle(it).backgroundColor")
        expect(frame).to_have_css("outline-color", color)

    def test_enter_does_not_ask_again_for_what_typing_has_found(self, visitor: Visitor) -> None:
        page, asked = visitor.page, list[str]()
        page.on("request", lambda request: asked.append(request.url))
        page.locator("#q").fill("ban")
        expect(page).to_have_url(re.compile(r"q=ban$"))
        page.locator("#q").press("Enter")
        page.get_by_role("link", name="Edit").click()
        page.get_by_label("Title", exact=True).fill("Green banana")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("tr.item")).to_contain_text("Green banana")
        page.locator("#q").fill("che")
        expect(page).to_have_url(re.compile(r"q=che$"))
        page.go_back()
        expect(page.locator("tr.item")).to_have_count(3)
        page.locator("#q").fill("che")
        expect(page).to_have_url(re.compile(r"q=che$"))

        sent = [url.partition("/items?q=")[2] for url in asked]
        assert [word for word in sent if word] == ["ban", "che", "che"]

    def test_a_search_that_failed_is_asked_again_by_enter(self, visitor: Visitor) -> None:
        page = visitor.page
        page.context.set_offline(True)
        page.locator("#q").fill("ban")
        expect(page.locator("#toasts [role=alert]")).to_be_visible()
        page.context.set_offline(False)
        visitor.troubles.clear()  # htmx reports the lost request on the console
        page.locator("#q").press("Enter")
        expect(page.locator("tr.item")).to_have_count(1)

    def test_filter_sort_and_search_go_together(self, visitor: Visitor) -> None:
        page = visitor.page
        page.locator("#sort-title").click()
        expect(page).to_have_url(re.compile(r"sort=title&direction=asc$"))
        expect(page.locator("tr.item").first).to_contain_text("Apple")
        expect(page.locator("#sort-title")).to_be_focused()
        page.locator("#filter-todo").click()
        expect(page.locator("#filter-todo")).to_have_attribute("aria-current", "true")
        page.locator("#q").fill("an")
        expect(page).to_have_url(re.compile(r"\?q=an&status=todo&sort=title&direction=asc$"))
        assert rows(page) == ["Banana"]
        page.reload()
        assert rows(page) == ["Banana"]
        page.evaluate("history.go(-2)")
        expect(page).to_have_url(re.compile(r"/items\?sort=title&direction=asc$"))
        expect(page.locator("#filter-all")).to_have_attribute("aria-current", "true")

    def test_a_word_that_is_being_converted_is_not_searched_yet(self, visitor: Visitor) -> None:
        page = visitor.page
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.locator("#q").focus()
        keyboard = visitor.context.new_cdp_session(page)
        for text in ("b", "ば", "ばな", "ばなn"):
            keyboard.send(
                "Input.imeSetComposition",
                {"text": text, "selectionStart": len(text), "selectionEnd": len(text)},
            )
        with page.expect_request(re.compile("q=")) as request:
            keyboard.send("Input.insertText", {"text": "Banana"})
        assert request.value.url.endswith("/items?q=Banana")
        expect(page.locator("tr.item")).to_have_count(1)
        assert [url for url in asked if "/items" in url] == [request.value.url]

    def test_a_slow_search_gives_way_to_what_comes_later(self, visitor: Visitor) -> None:
        page = visitor.page
        page.route("**/items?q=apple", lambda route: None)
        with page.expect_request("**/items?q=apple") as slow:
            page.locator("#q").fill("apple")
        with page.expect_event("requestfailed", lambda request: request == slow.value):
            page.locator("#sort-title").click()
        expect(page).to_have_url(re.compile(r"\?q=apple&sort=title&direction=asc$"))
        assert rows(page) == ["Apple"]

    def test_pages(self, visit: Visit) -> None:
        visitor = visit()
        visitor.add(*(f"Item {number:02}" for number in range(60)))
        page = visitor.go("/items")
        page.locator("#next").click()
        expect(page.locator("tr.item")).to_have_count(10)
        expect(page).to_have_url(re.compile(r"after="))
        page.locator("#previous").click()
        expect(page.locator("tr.item")).to_have_count(50)


class TestChanges:
    def test_a_new_item_joins_the_list(self, visitor: Visitor) -> None:
        page = visitor.page
        page.locator("#new").click()
        expect(page.locator("#title-new")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#title-new-error")).to_be_visible()
        expect(page.locator("#title-new")).to_be_focused()
        page.keyboard.type("Date")
        page.keyboard.press("Enter")
        expect(page.locator("#toasts")).to_contain_text("“Date” is added.")
        assert rows(page) == ["Date", "Cherry", "Banana", "Apple"]
        expect(page.locator("#new-item")).to_be_empty()
        expect(page.locator("#new")).to_be_focused()

    def test_edit_in_place(self, visitor: Visitor) -> None:
        page = visitor.page
        place = row(page, "Banana")
        page.locator(f"{place} [id^=edit-]").click()
        expect(page.locator(f"{place} [name=title]")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.locator(f"{place} [id^=edit-]")).to_be_focused()
        page.keyboard.press("Enter")
        page.locator(f"{place} [name=title]").fill("Blueberry")
        page.locator(f"{place} [name=description]").fill("Blue,\nround")
        page.locator(f"{place} [name=due_on]").fill("2199-12-31")
        page.locator(f"{place} .btn-primary").click()
        expect(page.locator(place)).to_contain_text("Blueberry")
        expect(page.locator(place)).to_contain_text("Dec 31, 2199")
        expect(page.locator(f"{place} [id^=edit-]")).to_be_focused()
        expect(page).to_have_url(re.compile("/items$"))

    def test_forms_stay_open_while_the_list_around_them_changes(self, visitor: Visitor) -> None:
        page = visitor.page
        place = row(page, "Banana")
        title = page.locator(f"{place} [name=title]")
        page.locator("#new").click()
        page.locator("#title-new").fill("Date")
        page.locator(f"{place} [id^=edit-]").click()
        title.fill("Blueberry")
        page.locator("#sort-title").click()
        expect(page).to_have_url(re.compile(r"sort=title&direction=asc$"))
        expect(page.locator("#items tbody tr")).to_have_count(3)
        expect(page.locator(f"tr:nth-child(2){place} [name=title]")).to_have_value("Blueberry")
        page.locator("#filter-done").click()  # where nothing is
        expect(page).to_have_url(re.compile("status=done"))
        expect(title).to_have_value("Blueberry")
        page.locator("#q").fill("app")
        expect(page).to_have_url(re.compile("q=app"))
        page.locator("#filter-all").click()
        expect(page.locator("#items tbody tr")).to_have_count(2)
        title.press("Enter")
        expect(page.locator(place)).to_contain_text("Blueberry")
        assert rows(page) == ["Blueberry", "Apple"]
        expect(page.locator("#title-new")).to_have_value("Date")

    def test_a_click_moves_the_status_on_and_keeps_the_focus(self, visitor: Visitor) -> None:
        page = visitor.page
        place = row(page, "Apple")
        button = page.locator(f"{place} [name=status]")
        for expected in ("Doing", "Done", "To do"):
            button.click()
            expect(button).to_have_text(expected)
            expect(button).to_be_focused()

    def test_delete_and_undo(self, visitor: Visitor) -> None:
        page = visitor.page
        page.get_by_role("button", name="Delete “Banana”").click()
        expect(page.locator("tr.item")).to_have_count(2)
        expect(page.get_by_role("link", name="Edit “Apple”")).to_be_focused()
        page.get_by_role("button", name="Undo").click()
        expect(page.locator("tr.item")).to_have_count(3)
        expect(page.locator("#toasts")).to_contain_text("1 item is back.")
        expect(page.get_by_role("button", name="Undo")).to_have_count(0)

    def test_several_at_once(self, visitor: Visitor) -> None:
        page = visitor.page
        everything = page.get_by_label("Select all on this page")
        expect(page.locator("#bulk")).not_to_be_visible()
        page.get_by_label("Select “Apple”").check()
        expect(page.locator("#bulk")).to_contain_text("1 selected")
        assert everything.evaluate("(box) => box.indeterminate")
        everything.check()
        expect(page.locator("#bulk")).to_contain_text("3 selected")
        page.get_by_label("Select “Banana”").uncheck()
        page.locator("#bulk").get_by_role("button", name="Done").click()
        expect(page.locator("tr.item [name=status][value=todo]")).to_have_count(2)
        expect(page.locator("#bulk")).not_to_be_visible()
        page.locator("#filter-done").click()
        expect(page.locator("tr.item")).to_have_count(2)
        everything.check()
        page.locator("#bulk").get_by_role("button", name="Delete").click()
        expect(page.locator("#items")).to_contain_text("No item matches.")
        page.get_by_role("button", name="Undo").click()
        expect(page.locator("tr.item")).to_have_count(2)

    def test_two_versions(self, visitor: Visitor) -> None:
        page = visitor.page
        place = row(page, "Cherry")
        page.locator(f"{place} [id^=edit-]").click()
        page.locator(f"{place} [name=description]").fill("mine")
        path = f"/items/{place.removeprefix('#item-')}"
        visitor.post(path, title="Theirs", description="theirs", version="1")
        page.locator(f"{place} .btn-primary").click()
        expect(page.locator(f"{place} [role=alert]")).to_be_focused()
        expect(page.locator(place)).to_contain_text("theirs")
        expect(page.locator(f"{place} textarea")).to_have_value("mine")
        page.locator(f"{place} [name=take][value=title]").click()
        expect(page.locator(f"{place} [name=take]")).to_have_count(1)
        page.locator(f"{place} textarea").fill("mine and theirs")
        page.get_by_role("button", name="Save my version").click()
        expect(page.locator(f"{place} [id^=edit-]")).to_be_visible()
        expect(page.locator(place)).to_contain_text("Theirs")
        expect(page.locator(place)).to_contain_text("mine and theirs")


class TestTrouble:
    def test_a_session_that_ended_leads_to_sign_in_and_back(self, visitor: Visitor) -> None:
        page = visitor.go("/items?q=apple")
        visitor.context.clear_cookies(name=f"{SLUG}-session")
        page.locator("tr.item [id^=edit-]").click()
        expect(page).to_have_url(f"{visitor.origin}/sign-in?next=/items%3Fq%3Dapple")

    def test_what_was_typed_outlives_the_session(self, visitor: Visitor) -> None:
        page = visitor.page
        place = row(page, "Banana")
        page.locator(f"{place} [id^=edit-]").click()
        page.get_by_label("Title", exact=True).fill("A long thought")
        (session,) = [c for c in visitor.context.cookies() if c["name"] == f"{SLUG}-session"]
        visitor.context.clear_cookies(name=f"{SLUG}-session")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#toasts [role=alert] a")).to_have_attribute("href", "/sign-in")
        visitor.context.add_cookies([session])  # type: ignore[list-item] # what it gave, it takes
        page.get_by_role("button", name="Save").click()
        expect(page.locator(place)).to_contain_text("A long thought")

    def test_no_answer_is_told_and_changes_nothing(self, visitor: Visitor) -> None:
        page = visitor.page
        visitor.context.set_offline(True)
        page.get_by_role("button", name="Delete “Banana”").click()
        expect(page.locator("#toasts [role=alert]")).to_contain_text("could not be reached")
        expect(page.locator("tr.item")).to_have_count(3)
        visitor.context.set_offline(False)
        visitor.troubles.clear()  # htmx reports the lost request on the console
        page.get_by_role("button", name="Delete “Banana”").click()
        expect(page.locator("tr.item")).to_have_count(2)

    def test_an_error_of_the_app_is_told_with_its_trace_id(self, visitor: Visitor) -> None:
        page = visitor.page
        place = row(page, "Banana")
        visitor.post("/items/delete", id=place.removeprefix("#item-"))
        page.locator(f"{place} [name=status]").click()
        toast = page.locator("#toasts [role=alert]")
        expect(toast).to_contain_text("That is not there any more.")
        expect(toast.locator("[data-trace-id]")).to_have_text(re.compile("[0-9a-f-]{36}"))
        expect(page.locator(place)).to_contain_text("Banana")

    def test_an_error_from_before_the_app_is_told_too(self, visitor: Visitor) -> None:
        def gateway(route: Route) -> None:
            route.fulfill(status=502, body="<h1>Bad gateway</h1>", content_type="text/html")

        page = visitor.page
        page.route("**/items/delete", gateway)
        page.get_by_role("button", name="Delete “Banana”").click()
        expect(page.locator("#toasts [role=alert]")).to_contain_text("Something went wrong")
        expect(page.locator("tr.item")).to_have_count(3)
        expect(page.get_by_text("Bad gateway")).to_have_count(0)


class TestToasts:
    def test_they_close_by_themselves_but_not_under_the_pointer(self, visit: Visit) -> None:
        visitor = visit(fresh=True)
        visitor.add(*FRUIT)
        visitor.page.clock.install()
        page = visitor.go("/items")
        page.get_by_role("button", name="Delete “Banana”").click()
        toast = page.locator("[data-toast]")
        toast.hover()
        page.clock.run_for(60_000)
        expect(toast).to_be_visible()
        page.mouse.move(0, 0)
        page.clock.run_for(14_000)
        expect(toast).to_be_visible()
        page.clock.run_for(2_000)
        expect(toast).to_have_count(0)

    def test_a_click_closes_them(self, visitor: Visitor) -> None:
        page = visitor.page
        page.get_by_role("button", name="Delete “Banana”").click()
        page.locator("[data-toast]").get_by_role("button", name="Close").click()
        expect(page.locator("[data-toast]")).to_have_count(0)


class TestTrace:
    def test_all_that_one_click_sets_off_is_one_trace(self, visitor: Visitor) -> None:
        page = visitor.page
        asked: list[str | None] = []

        def note(request: Request) -> None:
            if request.resource_type == "fetch":
                asked.append(request.headers.get("x-trace-id"))

        page.on("request", note)

        with page.expect_response(re.compile("status=todo")):
            page.locator("#filter-todo").click()
        with page.expect_response(re.compile("status=done")) as answer:
            page.locator("#filter-done").click()
        with page.expect_response("**/items?q=follows"):
            page.evaluate(
                """() => {
                  const follower = document.createElement("div");
                  follower.setAttribute("hx-get", "/items?q=follows");
                  follower.setAttribute("hx-trigger", "load");
                  document.querySelector("main").append(follower);
                  htmx.process(follower);
                }"""
            )

        first, second, follower = asked
        assert first != second
        assert second == follower == answer.value.headers["x-trace-id"]

    def test_what_a_page_loads_by_itself_is_part_of_its_trace(self, visitor: Visitor) -> None:
        page = visitor.page
        with page.expect_request("**/items?q=more") as request:
            page.evaluate("htmx.ajax('GET', '/items?q=more', {target: '#items'})")

        own = page.locator("meta[name=trace-id]").get_attribute("content")
        assert request.value.headers["x-trace-id"] == own
