"""A list as a file: a short one at once, a long one from the page of jobs."""

import asyncio
import threading
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from app.database import Database
from app.lib.utils import utc_now
from app.models.user import User
from app.services.item_bulk import NewItem, insert_items
from app.services.item_export import PAGE
from tests.browser.conftest import Visit
from tests.support.axe import violations
from tests.support.live_app import LiveApp

pytestmark = pytest.mark.browser


async def fill(url: str, email: str) -> None:
    """One item more than come at once."""
    database = Database(url)
    async with database.system_session() as session:
        owner = await session.scalar(select(User.id).where(User.email == email))
        assert owner is not None
        now = utc_now()
        items = (NewItem(f"Tea {n}", "", "todo", None, now, now) for n in range(PAGE + 1))
        await insert_items(session, owner, items)
    await database.close()


def test_a_list_becomes_a_file(visit: Visit, live_app: LiveApp) -> None:
    visitor = visit()
    visitor.add("Coffee")
    page = visitor.go("/items?q=coffee")
    with page.expect_download() as coffee:
        page.get_by_role("button", name="CSV", exact=True).click()
    lines = Path(coffee.value.path()).read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[1] for line in lines] == ["title", "Coffee"]

    # In a thread: Playwright has a loop of its own in this one.
    filling = threading.Thread(
        target=asyncio.run, args=[fill(live_app.env["DATABASE_URL"], visitor.email)]
    )
    filling.start()
    filling.join()
    page = visitor.go("/items")
    assert violations(page, besides="tr.item ~ tr.item ~ tr.item") == []
    page.get_by_role("button", name="Excel (.xlsx)").click()
    expect(page).to_have_url(f"{visitor.origin}/jobs")
    link = page.get_by_role("link", name="Download")
    expect(link).to_be_visible()
    expect(page.locator("#jobs")).to_contain_text("1,002 items. The file is kept for a day.")
    assert violations(page) == []
    with page.expect_download() as book:
        link.click()
    assert book.value.suggested_filename.startswith("items-")
    with zipfile.ZipFile(book.value.path()) as zipped:
        assert zipped.read("xl/worksheets/sheet1.xml").count(b"<row ") == PAGE + 3
