"""How pages arrive and behave: weight, policy, keyboard, layout."""

import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.browser.conftest import Visit
from tests.support.live_app import LiveApp

pytestmark = pytest.mark.browser

MOST_BYTES = 45_000
PUBLIC = ("/", "/sign-in", "/sign-up", "/api/docs", "/nowhere")
OWN = ("/items", "/items/new", "/account")


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_first_load_weighs_little(visit: Visit, language: str) -> None:
    heavy = {}
    for paths, signed_in in ((PUBLIC, False), (OWN, True)):
        visitor = visit(language=language, fresh=True, signed_in=signed_in)
        if signed_in:
            visitor.add(
                *(f"議事録を書いて共有する {number}" for number in range(50)), description="x" * 300
            )
        session = visitor.context.new_cdp_session(visitor.page)
        session.send("Network.enable")
        for path in paths:
            session.send("Network.clearBrowserCache")
            weight = weight_of_load(visitor.page, session, visitor.origin + path)
            if weight > MOST_BYTES:
                heavy[path] = weight
    assert heavy == {}


def weight_of_load(page: Page, session: CDPSession, url: str) -> int:
    """Bytes of all responses as they came over the wire, heads included."""
    received: list[float] = []

    def note(event: dict[str, float]) -> None:
        received.append(event["encodedDataLength"])

    session.on("Network.loadingFinished", note)
    page.goto(url, wait_until="networkidle")
    session.remove_listener("Network.loadingFinished", note)
    assert sum(size > 0 for size in received) >= 4, "page, style sheet and two scripts"
    return round(sum(received))


def test_what_has_its_content_in_its_name_is_asked_for_once(visit: Visit) -> None:
    visitor = visit(fresh=True, signed_in=False)
    with visitor.page.expect_response("**/app.*.css") as style:
        visitor.go("/")
    assert style.value.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert style.value.headers["content-encoding"] == "br"
    session = visitor.context.new_cdp_session(visitor.page)
    session.send("Network.enable")
    cached: list[str] = []
    session.on("Network.requestServedFromCache", lambda event: cached.append(event["requestId"]))
    visitor.go("/sign-in")
    assert len(cached) >= 3


def test_the_policy_stops_what_is_not_the_apps_own(visit: Visit) -> None:
    visitor = visit(signed_in=False)
    page = visitor.go("/")
    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
        }"""
    )
    assert page.evaluate("window.ran") is None
    assert any("CSP: script-src" in trouble for trouble in visitor.troubles)
    visitor.troubles.clear()


class TestKeyboard:
    def test_the_first_stop_skips_to_the_content(self, visit: Visit) -> None:
        page = visit(signed_in=False).go("/")
        page.keyboard.press("Tab")
        link = page.get_by_role("link", name="Skip to content")
        expect(link).to_be_focused()
        expect(link).to_be_in_viewport()
        expect(link).to_have_css("padding-left", "16px")
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.locator("main").get_by_role("link", name="Sign in")).to_be_focused()

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_every_stop_shows_that_it_has_the_focus(self, visit: Visit, theme: str) -> None:
        visitor = visit(theme=theme)
        visitor.add("One")
        page = visitor.go("/items")
        seen = []
        for _ in range(40):
            page.keyboard.press("Tab")
            stop = page.evaluate(
                """() => {
                    const element = document.activeElement;
                    const style = getComputedStyle(element.closest("label.input") ?? element);
                    const outline = style.outlineStyle !== "none" && parseFloat(style.outlineWidth);
                    return [element.tagName, element.outerHTML.slice(0, 90), outline >= 2];
                }"""
            )
            if stop[0] == "BODY":
                break
            seen.append(stop)
        assert len(seen) > 15
        assert [html for _, html, outlined in seen if not outlined] == []

    def test_menus_open_and_close(self, visit: Visit) -> None:
        page = visit().go("/")
        button = page.locator("[popovertarget=account-menu]")
        button.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#account-menu")).to_be_visible()
        page.keyboard.press("Tab")
        expect(page.locator("#account-menu").get_by_role("link", name="Account")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.locator("#account-menu")).not_to_be_visible()
        expect(button).to_be_focused()


class TestLayout:
    @pytest.mark.parametrize("language", ["en", "ja"])
    def test_nothing_is_wider_than_the_window(self, visit: Visit, language: str) -> None:
        anonymous, hana = visit(language=language, signed_in=False), visit(language=language)
        hana.add("W" * 200, "長" * 200, description="i" * 500, due_on="2026-12-01")
        item = hana.go("/items").locator("tr.item a").first.get_attribute("href")
        wide = []
        for visitor, paths in ((anonymous, PUBLIC), (hana, (*OWN, str(item)))):
            for path in paths:
                page = visitor.go(path)
                for width in (320, 390, 768, 1280):
                    page.set_viewport_size({"width": width, "height": 800})
                    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                        wide.append((path, width))
        assert wide == []

    @pytest.mark.parametrize("language", ["en", "ja"])
    def test_nor_where_names_and_addresses_are_as_long_as_they_may_be(
        self, visit: Visit, live_app: LiveApp, language: str
    ) -> None:
        hana = visit(language=language)
        email = f"{language}{'l' * 60}@{'d' * 60}.{'e' * 60}.example.com"
        long = ("W" * 100, email, hana.email)
        with closing(sqlite3.connect(live_app.folder / "data" / "app.db")) as database, database:
            database.execute(
                "UPDATE users SET role = 'admin', name = ?, email = ? WHERE email = ?", long
            )
            (user_id,) = database.execute(
                "SELECT id FROM users WHERE email = ?", [email]
            ).fetchone()
            database.execute(
                "UPDATE login_sessions SET user_agent = ? WHERE user_id = ?", ["U" * 200, user_id]
            )
        database.close()
        hana.post("/logs/queries/saved", name="Q" * 100, sql="SELECT 1")
        hana.post("/items", title="One")
        hana.context.request.post(
            f"{hana.origin}/account/tokens",
            form={"name": "T" * 100, "scope": "read", "days": "7"},
            headers={"Origin": hana.origin},
        )
        paths = ["/account", "/account/sessions", "/account/tokens", "/admin/users", "/jobs"]
        paths.append(f"/admin/users/{user_id}")
        hana.go("/logs/queries")
        paths.append(str(hana.page.locator("a[href*='/saved/']").first.get_attribute("href")))
        wide = []
        for path in paths:
            page = hana.go(path)
            for width in (320, 390, 768, 1280):
                page.set_viewport_size({"width": width, "height": 800})
                if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                    wide.append((path, width))
        assert wide == []

    def test_the_list_of_items_keeps_the_margins_of_the_narrowest_phone(self, visit: Visit) -> None:
        visitor = visit(language="ja")
        visitor.add("東京の会議の議事録を書いて共有する", due_on="2026-12-01", status="doing")
        page = visitor.go("/items")
        page.set_viewport_size({"width": 320, "height": 568})
        table, list_ = (page.locator(name).bounding_box() for name in ("#items table", "#items"))
        assert table is not None
        assert list_ is not None
        assert (table["x"], table["width"]) == (list_["x"], list_["width"])
        age = page.locator("tr.item td:nth-child(5) time")
        age.evaluate("age => { age.textContent = '59 分前'; }")
        end = age.bounding_box()
        assert end is not None
        assert end["x"] + end["width"] <= table["x"] + table["width"] - 12

    def test_many_jobs_beside_the_other_links_fit_on_a_phone(self, visit: Visit) -> None:
        page = visit().go("/jobs")
        page.locator("#jobs-badge").evaluate(
            "(badge) => { badge.innerHTML = '<span class=\"badge badge-sm\">99</span>'; }"
        )
        for width in (320, 360, 390):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width

    @pytest.mark.parametrize("path", ["/", "/items", "/sign-in"])
    def test_nothing_jumps_while_a_page_loads(self, visit: Visit, path: str) -> None:
        visitor = visit(fresh=True, signed_in=path == "/items")
        if path == "/items":
            visitor.add("One", "Two")
        visitor.context.add_init_script(
            "window.shift = 0; new PerformanceObserver((list) => {"
            " for (const entry of list.getEntries()) window.shift += entry.value;"
            "}).observe({type: 'layout-shift', buffered: true});"
        )
        page = visitor.go(path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.shift") == 0

    @pytest.mark.parametrize("path", ["/items", "/sign-in"])
    def test_nothing_is_painted_before_all_of_the_page_is_there(
        self, visit: Visit, path: str
    ) -> None:
        page = visit(signed_in=path == "/items").go(path)
        awaited = page.locator("link[rel=expect][blocking=render]").get_attribute("href")
        assert awaited is not None
        expect(page.locator(f"{awaited} ~ *")).to_have_count(0)
        expect(page.locator(f"body > {awaited}")).to_be_hidden()

    def test_the_chosen_theme_is_there_before_the_first_paint(self, visit: Visit) -> None:
        visitor = visit(theme="dark", signed_in=False, script=False)
        page = visitor.go("/")
        expect(page.locator("html")).to_have_css("color-scheme", "dark")

    def test_without_a_choice_the_system_decides(self, visit: Visit) -> None:
        visitor = visit(theme="system", signed_in=False)
        page = visitor.go("/")
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)
            expect(page.locator("html")).to_have_css("color-scheme", scheme)

    def test_times_are_in_the_readers_zone_once_it_is_known(self, visit: Visit) -> None:
        visitor = visit()
        page = visitor.go("/account/sessions")
        times = page.locator("main time")
        assert str(times.first.get_attribute("title")).endswith("UTC")
        page.reload()
        assert str(times.first.get_attribute("title")).endswith("JST")
