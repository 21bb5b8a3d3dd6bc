"""What a visitor does with items."""

from playwright.sync_api import Page, expect


def work_with_items(page: Page, origin: str) -> None:
    """Fail a validation, create, search, edit, delete, undo; the list is as before at the end."""
    page.goto(f"{origin}/items")
    expect(page.locator("tr.item")).to_have_count(50)
    page.get_by_role("link", name="New item").click()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("[aria-invalid=true]")).to_be_focused()
    page.get_by_label("Title", exact=True).fill("飛行記録を読む")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("飛行記録を読む")

    page.locator("#q").fill("飛行")
    page.locator("#q").press("Enter")
    expect(page.locator("tr.item")).to_have_count(1)
    page.get_by_role("link", name="Edit").first.click()
    page.get_by_label("Title", exact=True).fill("飛行記録を読んだ")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#toasts")).to_contain_text("飛行記録を読んだ")
    expect(page.locator("tr.item")).to_have_count(1)

    page.get_by_role("button", name="Delete “飛行記録を読んだ”").click()
    expect(page.get_by_role("link", name="飛行記録を読んだ", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("1 item is back")

    # Away for good, so that the next visitor finds the list as this one did.
    page.goto(f"{origin}/items?q=飛行")
    page.get_by_role("button", name="Delete “飛行記録を読んだ”").click()
    expect(page.locator("#toasts")).to_contain_text("1 item deleted")
