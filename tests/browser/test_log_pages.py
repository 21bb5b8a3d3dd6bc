"""The trace log in a real browser: for administrators, with JavaScript and without."""

import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.utils import utc_now
from tests.browser.conftest import Visit, Visitor
from tests.browser.log_pages import beside, open_log, provoke_failure
from tests.browser.made_up_job import MadeUpJob, change
from tests.services.log_book import LogBook
from tests.support.axe import COLORS, violations
from tests.support.live_app import LiveApp

pytestmark = pytest.mark.browser
VisitAsAdmin = Callable[..., Visitor]
Theme = Literal["light", "dark"]


@pytest.fixture
def visit_as_admin(visit: Visit, live_app: LiveApp) -> VisitAsAdmin:
    """`visit_as_admin(...)`: a new visitor whose account has the role."""

    def new(**how: object) -> Visitor:
        visitor = visit(**how)  # type: ignore[arg-type] # handed on as it came
        change(live_app, "UPDATE users SET role = 'admin' WHERE email = ?", visitor.email)
        return visitor

    return new


def ask(visitor: Visitor, path: str) -> str:
    """The trace id of a request that was made in the visitor's session, beside the page."""
    with beside(visitor) as client:
        return client.get(path).headers["x-trace-id"]


def shown_paths(page: Page) -> list[str]:
    return page.locator("#requests tbody td bdi").all_inner_texts()


def test_filters_act_while_one_types_and_back_takes_them_off(visit_as_admin: VisitAsAdmin) -> None:
    visitor = visit_as_admin()
    found = ask(visitor, "/items?q=log")
    missing = ask(visitor, "/no-such-page")
    page = open_log(visitor, "/logs/requests", found, missing)
    page.locator("#path").press_sequentially("/no-such")
    expect(page).to_have_url(re.compile(r"/logs/requests\?path=%2Fno-such$"))
    expect(page.locator("#requests")).not_to_contain_text("/items")
    expect(page.locator("#path")).to_be_focused()
    page.locator("#status-5xx").click()
    expect(page.get_by_text("No request matches.")).to_be_visible()
    expect(page.locator("#announcer")).to_have_text("0 requests on this page")
    page.go_back()
    expect(page).to_have_url(re.compile(r"/logs/requests\?path=%2Fno-such$"))
    expect(page.locator("#requests")).to_contain_text("/no-such-page")
    expect(page.locator("#requests")).not_to_contain_text("/items")
    page.go_back()
    expect(page.locator("#path")).to_have_value("")


def test_the_search_is_three_keys_away(visit_as_admin: VisitAsAdmin) -> None:
    page = visit_as_admin().go("/logs/requests")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the search")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#path")).to_be_focused()


def test_a_step_opens_by_a_click_and_by_its_address(visit_as_admin: VisitAsAdmin) -> None:
    visitor = visit_as_admin()
    trace_id = provoke_failure(visitor)
    open_log(visitor, "/logs/requests?path=/account", trace_id)
    page = visitor.page
    page.locator(f"#requests td a[title='{trace_id}']").first.click()
    expect(page.locator("h1")).to_contain_text("POST /account/password")
    step = page.locator(".trace details", has_text="Verify_Password")
    step.locator("summary").click()
    expect(step).to_have_js_property("open", value=False)
    step.locator("summary").click()
    expect(step).to_contain_text('"user_id"')
    address = f"{page.url}#{step.locator('div[id]').get_attribute('id')}"
    page.goto("about:blank")
    page.goto(address)
    expect(step).to_have_js_property("open", value=True)


def test_without_javascript_the_form_and_links_do_the_same(visit_as_admin: VisitAsAdmin) -> None:
    visitor = visit_as_admin(script=False)
    missing = ask(visitor, "/no-such-page")
    page = open_log(visitor, "/logs/requests", missing)
    page.locator("#path").fill("/no-such")
    page.get_by_role("button", name="Filter").click()
    assert set(shown_paths(page)) == {"/no-such-page"}
    page.get_by_role("link", name="Remove the filter: Path").click()
    expect(page).to_have_url(f"{visitor.origin}/logs/requests")
    page.locator(f"a[href='/logs/traces/{missing}']").first.click()
    page.locator("summary").first.click()
    expect(page.locator("details").first).to_contain_text("127.0.0.1")


@pytest.mark.parametrize(
    ("language", "phone"), [("en", False), ("ja", True)], ids=["en-desktop", "ja-phone"]
)
def test_axe_finds_nothing_on_the_logs_pages(
    visit_as_admin: VisitAsAdmin, language: str, *, phone: bool
) -> None:
    visitor = visit_as_admin(language=language, theme="system", phone=phone, axe=True)
    accessible = partial(assert_accessible, themes=["dark"] if phone else ["light", "dark"])
    trace_id = ask(visitor, f"/items/{'9' * 15}")
    page = open_log(visitor, f"/logs/requests?status=4xx&trace={trace_id}&user=x", trace_id)
    accessible(page)
    page = visitor.go(f"/logs/traces/{trace_id}")
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    accessible(visitor.go("/logs/traces/00000000-0000-4000-8000-00000000dead"))
    accessible(visitor.go("/logs/requests?path=/nothing/at/all"))
    provoke_failure(visitor)
    page = open_log(visitor, "/logs/errors?state=refused", "/logs/errors/")
    accessible(page)
    page.locator("a[href^='/logs/errors/']").first.click()
    expect(page.locator("#note")).to_be_visible()
    accessible(page)
    page = visitor.go("/logs/tasks?range=15m")
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("a[href^='/logs/tasks?task=']").first.click()
    expect(page.locator("table")).to_be_visible()
    accessible(page)
    page = visitor.go("/logs?range=15m")
    expect(page.locator(".uplot canvas")).to_have_count(2)
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def assert_accessible(
    page: Page, within: str = "html", besides: str = "", themes: Sequence[Theme] = ("light", "dark")
) -> None:
    """axe finds nothing in these themes; only the colors differ."""
    rules: Sequence[str] = ()
    for theme in themes:
        page.emulate_media(color_scheme=theme)
        assert violations(page, *rules, within=within, besides=besides) == []
        rules = COLORS


def test_from_the_overview_a_failure_is_one_click_to_the_stack_trace_of_its_step(
    visit_as_admin: VisitAsAdmin, live_app: LiveApp
) -> None:
    trace_id = "5e000000-0000-4000-8000-000000000001"
    book = LogBook(utc_now() - timedelta(seconds=9))
    book.step(
        "Nightly",
        "Sync",
        "FAILED",
        trace=trace_id,
        error_message="ValueError: no such day",
        stack_trace='  File "app/services/nightly.py", line 3, in sync\nValueError: no such day',
    )
    store = SQLiteStore(live_app.log_dir / "trace.db")
    book.deliver(store)
    store.close()
    page = visit_as_admin().go("/logs?range=15m")
    page.locator(f"a[href='/logs/traces/{trace_id}#failure']").click()
    step = page.locator("#failure")
    expect(step).to_have_js_property("open", value=True)
    expect(step.get_by_role("group", name="Stack trace")).to_be_in_viewport()
    expect(step.get_by_role("group", name="Stack trace")).to_contain_text("nightly.py")


def test_dragging_over_a_chart_makes_that_the_span_of_the_page(
    visit_as_admin: VisitAsAdmin,
) -> None:
    visitor = visit_as_admin()
    open_log(visitor, "/logs/requests", ask(visitor, "/items?q=zoom"))
    page = visitor.go("/logs?range=1h")
    chart = page.locator(".u-over").first
    expect(chart).to_be_visible()
    box = chart.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, middle, steps=4)
    expect(page.locator(".chart-tip").first).to_contain_text("All:")
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"/logs\?from=\d+&to=\d+$"))
    expect(page.get_by_role("link", name="Zoom out")).to_be_visible()
    link = page.locator("nav").get_by_role("link", name="Requests", exact=True)
    link.click()
    expect(page).to_have_url(re.compile(r"/logs/requests\?from=\d+&to=\d+$"))


def test_the_heat_map_leads_to_requests_without_a_script(visit_as_admin: VisitAsAdmin) -> None:
    visitor = visit_as_admin(script=False)
    open_log(visitor, "/logs/requests", ask(visitor, "/items?q=heat"))
    page = visitor.go("/logs?range=15m")
    page.locator("svg a[href^='/logs/requests']").last.click()
    assert shown_paths(page)


def test_a_live_list_gets_new_requests_and_holds_them_while_it_is_paused(
    visit_as_admin: VisitAsAdmin,
) -> None:
    visitor = visit_as_admin()

    def row(trace_id: str) -> Locator:
        return page.locator(f"#requests td a[title='{trace_id}']")

    page = open_log(visitor, "/logs/requests?path=/items&method=GET", ask(visitor, "/items?q=1"))
    page.get_by_role("link", name="Live", exact=True).click()
    page.wait_for_selector("#requests[data-live-open]")
    second = ask(visitor, "/items?q=2")
    expect(row(second)).to_be_visible()
    missing = ask(visitor, "/no-such-page")

    page.get_by_role("button", name="Pause").click()
    third = ask(visitor, "/items?q=3")
    chip = page.get_by_role("button", name="new")
    expect(chip).to_have_text(re.compile(r"^[1-9]\d* new$"))
    expect(row(third)).to_have_count(0)
    chip.click()
    expect(row(third)).to_be_visible()
    expect(chip).to_be_hidden()
    expect(row(missing)).to_have_count(0)

    # A page that nobody sees has no stream; afterwards it has all that came meanwhile, once.
    look = "document.dispatchEvent(new Event('visibilitychange'))"
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    page.evaluate(look)
    expect(page.locator("#requests[data-live-open]")).to_have_count(0)
    meanwhile = [ask(visitor, f"/items?q={number}") for number in range(4, 7)]
    page.evaluate("Object.defineProperty(document, 'hidden', {value: false, configurable: true})")
    page.evaluate(look)
    for trace_id in (second, third, *meanwhile):
        expect(row(trace_id)).to_have_count(1)
    ids = page.locator("tr[data-id]").evaluate_all("rows => rows.map((row) => row.dataset.id)")
    assert ids == sorted(set(ids), reverse=True)

    # Columns are chosen while it is live; a page that is left gives its connection back.
    page.get_by_role("button", name="Columns").click()
    page.get_by_label("IP address").last.check()
    expect(page.get_by_role("columnheader", name="IP address")).to_be_visible()
    page.wait_for_selector("#requests[data-live-open]")
    for number in range(8):
        visitor.go(f"/logs/requests?live=1&path=/left/{number}")
        page.wait_for_selector("#requests[data-live-open]")


def test_a_live_list_says_when_the_server_is_away_and_goes_on_when_it_is_back(
    visit_as_admin: VisitAsAdmin,
) -> None:
    visitor = visit_as_admin()
    page = visitor.page
    page.route("**/logs/requests/live?*", lambda route: route.abort("connectionrefused"))
    visitor.go("/logs/requests?live=1")
    warning = page.locator("[data-live-problem]")
    expect(warning).to_contain_text("The server is not answering.")

    page.unroute_all()
    expect(warning).to_be_hidden()
    expect(page.locator("#requests[data-live-open]")).to_have_count(1)


def test_a_live_list_tells_of_jobs_by_its_one_stream(
    visit_as_admin: VisitAsAdmin, live_app: LiveApp
) -> None:
    visitor = visit_as_admin()
    page, job = visitor.page, MadeUpJob(live_app, visitor)
    visitor.go("/logs/requests?live=1")
    page.wait_for_selector("#requests[data-live-open]")
    badge = page.locator("#jobs-badge .badge")
    expect(badge).to_have_text("1")
    job.end()
    expect(page.locator("#toasts")).to_contain_text("Done: Report: list.csv")
    expect(badge).to_have_count(0)


def test_a_long_trace_loads_its_rows_as_they_come_into_view(
    visit_as_admin: VisitAsAdmin, live_app: LiveApp
) -> None:
    trace, good = (f"3f2a1b9c-0000-4000-8000-00000000000{n}" for n in (1, 2))
    book = LogBook(utc_now() - timedelta(hours=1))
    book.step("Long_Import", "Row 1", "SUCCESS", trace=good, output_data={"rows": 1})
    for order in range(1, 202):
        name = f"Row {order}"
        book.after(1).step(
            "Long_Import", name, "START", order=order, trace=trace, input_data={"n": order}
        )
        book.after(1).step("Long_Import", name, "SUCCESS", order=order, trace=trace)
    book.after(30).step("Long_Import", "Check", "START", order=202, trace=trace)
    book.after(5).step(
        "Long_Import",
        "Check",
        "FAILED",
        order=202,
        trace=trace,
        error_message="two rows are alike",
        output_data={"text": "x" * 9000},
    )
    book.request("/long-import", 500, trace=trace, duration=600, request_body={"a": "b" * 9000})
    store = SQLiteStore(live_app.log_dir / "trace.db")
    book.deliver(store)
    store.close()

    visitor = visit_as_admin(theme="system", axe=True)
    page = visitor.go(f"/logs/traces/{trace}")
    expect(page.locator("#failure")).to_contain_text("two rows are alike")
    assert page.get_by_text("Row 150", exact=True).count() == 0
    of_many = ".trace-part > details:nth-child(n + 8):not([open])"
    assert_accessible(page, besides=of_many)
    page.get_by_role("link", name="Rows 101 to 200").first.focus()
    page.keyboard.press("Enter")
    row = page.locator(".trace details", has_text="Row 150")
    row.locator("summary").click()
    expect(row).to_contain_text('"n": 150')

    # It stands beside its line, in view however far one scrolls, and its address opens it again.
    box, line = row.get_by_role("group", name="Input"), row.locator("summary")
    left, right = box.bounding_box(), line.bounding_box()
    assert left
    assert right
    assert left["x"] > right["x"] + right["width"]
    assert_accessible(page, within="#part-2", besides=of_many)
    assert violations(page, "duplicate-id-aria") == []
    expect(page).to_have_url(re.compile(r"\?row=\d+#part-2$"))
    page.locator("#failure summary").scroll_into_view_if_needed()
    expect(box).to_be_in_viewport()
    page.reload()
    expect(box).to_contain_text('"n": 150')
    page.locator("#failure summary").focus()
    page.keyboard.press("Enter")
    expect(row).to_have_js_property("open", value=False)
    expect(page).to_have_url(re.compile(r"[?]row=\d+"))
    page.get_by_role("link", name="To the step").click()
    expect(page).to_have_url(re.compile(r"/logs/traces/[^?]*#failure$"))
    page.locator("#failure").get_by_role("link", name="Show all of it").click()
    expect(page.locator("#failure pre", has_text="x" * 9000)).to_be_visible()

    page.get_by_role("link", name="Compare with the last good run of Long_Import").click()
    expect(page.get_by_role("heading", name="Comparison")).to_be_visible()
    assert_accessible(page)
    page = visitor.go("/logs/requests?live=1")
    page.wait_for_selector("#requests[data-live-open]")
    assert_accessible(page)
    page.get_by_role("button", name="Columns").click()
    expect(page.locator("#columns")).to_be_visible()
    widths = page.locator("#columns label").evaluate_all("all => all.map((one) => one.clientWidth)")
    assert len(set(widths)) == 1, "each box and its name stand below the heading"
    assert_accessible(page)


def test_a_running_trace_updates_itself_and_leaves_what_is_open_as_it_is(
    visit_as_admin: VisitAsAdmin, live_app: LiveApp
) -> None:
    trace = "3f2a1b9c-0000-4000-8000-00000000cafe"
    store = SQLiteStore(live_app.log_dir / "trace.db")
    book = LogBook(utc_now())
    book.step("Order", "Read", "SUCCESS", trace=trace, input_data={"order": 1})
    book.step("Order", "Ship", "START", order=2, trace=trace)
    book.deliver(store)
    page = visit_as_admin().go(f"/logs/traces/{trace}")
    row = page.locator(".trace details", has_text="Read")
    row.locator("summary").click()
    expect(page.get_by_text("This is still running.")).to_be_visible()

    later = LogBook(utc_now())
    later.step("Order", "Ship", "SUCCESS", order=2, trace=trace)
    later.request("/orders", trace=trace)
    later.deliver(store)
    store.close()
    expect(page.get_by_role("heading", level=1)).to_contain_text("/orders")
    expect(page.get_by_text("This is still running.")).to_have_count(0)
    expect(row).to_have_js_property("open", value=True)
    expect(row.locator("summary")).to_be_focused()


def test_what_is_noise_is_left_out_by_typing_and_by_a_click(visit_as_admin: VisitAsAdmin) -> None:
    visitor = visit_as_admin()
    noise, other = ask(visitor, "/noise"), ask(visitor, "/noise/other")
    page = open_log(visitor, "/logs/requests", noise, other)
    page.locator("#path").press_sequentially("/noise -/noise/")
    expect(page).to_have_url(re.compile(r"path=%2Fnoise&without=%2Fnoise%2F$"))
    expect(page.locator("#requests tbody td bdi").first).to_have_text("/noise")
    page.locator("#path").fill("/noise")
    expect(page.locator("#requests")).to_contain_text("/noise/other")
    row = page.locator("#requests tbody tr", has_text=noise[:8])
    row.hover()
    row.get_by_title("Everything but /noise", exact=True).click()
    expect(page.locator("#path")).to_have_value("/noise -/noise$")
    assert set(shown_paths(page)) == {"/noise/other"}
