"""Pictures of an item, from the file to its thumbnail, with and without script."""

import re
from collections.abc import Sequence

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.conftest import Visit, Visitor
from tests.support.axe import violations
from tests.support.pictures import photo, png

pytestmark = pytest.mark.browser

TWO: Sequence[FilePayload] = (
    {"name": "花.jpg", "mimeType": "image/jpeg", "buffer": photo()},
    {"name": "red.png", "mimeType": "image/png", "buffer": png()},
)
PAGE: FilePayload = {
    "name": "x.png",
    "mimeType": "image/png",
    "buffer": b"<script>alert(1)</script>",
}


def new_item(visitor: Visitor) -> Page:
    visitor.add("Garden")
    page = visitor.go("/items")
    page.get_by_role("link", name="Garden", exact=True).click()
    expect(page.locator("h1")).to_have_text("Garden")
    return page


def test_two_pictures_come_and_one_goes(visit: Visit) -> None:
    visitor = visit()
    page = new_item(visitor)
    thumbs = page.locator("#pictures li img")
    page.get_by_label("Add pictures").set_input_files([*TWO, PAGE])
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#toasts")).to_contain_text("2 pictures are being prepared. x.png: This is")
    expect(thumbs).to_have_count(2)
    for thumb in thumbs.all():
        thumb.scroll_into_view_if_needed()
        page.wait_for_function("image => image.naturalWidth > 0", arg=thumb.element_handle())
    assert thumbs.first.evaluate("image => image.currentSrc").endswith("/thumb.avif")
    assert thumbs.first.evaluate("image => image.naturalHeight / image.naturalWidth") == 2

    page.get_by_label("What picture 1 shows").fill("A <b>flower</b>")
    page.get_by_role("button", name="Save").first.click()
    expect(thumbs.first).to_have_attribute("alt", "A <b>flower</b>")
    page.get_by_role("button", name="Move “A <b>flower</b>” back").click()
    expect(thumbs.last).to_have_attribute("alt", "A <b>flower</b>")
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []

    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete “Picture 1”").click()
    expect(thumbs).to_have_count(1)
    expect(page.locator("#toasts")).to_contain_text("The picture is deleted.")
    page.get_by_role("link", name="A <b>flower</b>").click()
    expect(page).to_have_url(re.compile(r"/pictures/\d+/large\.jpg$"))
    page.wait_for_function("document.images[0].naturalWidth === 40")


def test_an_upload_shows_how_far_it_is_and_can_be_stopped(visit: Visit) -> None:
    visitor = visit(fresh=True)
    page = new_item(visitor)
    line = visitor.context.new_cdp_session(page)
    slow = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": 10_000, "offline": False}
    line.send("Network.emulateNetworkConditions", slow)
    large: FilePayload = {"name": "a.png", "mimeType": "image/png", "buffer": bytes(1_000_000)}
    page.get_by_label("Add pictures").set_input_files([large])
    send = page.get_by_role("button", name="Upload")
    send.click()
    progress = page.locator("[data-upload] progress")
    page.wait_for_function("bar => bar.value > 0", arg=progress.element_handle())
    expect(page.locator("[data-percent]")).to_have_text(re.compile(r"^[1-9]\d? %$"))
    expect(send).to_be_disabled()
    assert violations(page) == []
    page.get_by_role("button", name="Cancel").click()
    expect(progress).to_be_hidden()

    page.locator("[data-upload]").evaluate("form => form.dataset.maxBytes = 1000")
    send.click()
    expect(page.get_by_role("alert")).to_contain_text("One of the files is larger than 20 MB.")
    expect(progress).to_be_hidden()
    line.send("Network.emulateNetworkConditions", slow | {"offline": True})
    page.locator("[data-upload]").evaluate("form => form.dataset.maxBytes = 2_000_000")
    send.click()
    expect(page.get_by_role("alert")).to_contain_text("The upload did not work.")


def test_the_same_as_plain_forms(visit: Visit) -> None:
    visitor = visit(script=False, language="ja", phone=True)
    page = new_item(visitor)
    page.get_by_label("画像を追加").set_input_files(TWO)
    page.get_by_role("button", name="アップロード").click()
    expect(page.locator("#toasts")).to_contain_text("画像")
    thumbs = page.locator("#pictures li img")
    again = page.get_by_role("link", name="もう一度見る")
    expect(page.locator("#pictures li")).to_have_count(2)
    while again.count():
        with page.expect_navigation():
            again.first.click()
    expect(thumbs).to_have_count(2)
    page.get_by_label("画像 1 の内容").fill("花")
    page.get_by_role("button", name="保存").first.click()
    page.get_by_role("button", name="「花」を後ろへ").click()
    expect(thumbs.last).to_have_attribute("alt", "花")
    page.get_by_role("button", name="「花」を削除").click()
    expect(thumbs).to_have_count(1)
