"""Every form that can be found by following links, filled with markup and worse."""

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from html import escape
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urldefrag, urljoin, urlsplit

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response
from sqlalchemy import update

from app.config import Settings
from app.models.user import User
from app.services.password_hasher import PasswordHasher
from tests.routers.conftest import ORIGIN, Visit, add_item, browser_for
from tests.routers.hard_tries import INSIDE, Unlimited
from tests.support.page_forms import Page, PageForm
from tests.support.routes import app_with_known_routes

_MARKER: Final = "<img src=x onerror"
_HOSTILE: Final = (
    f"\"'>{_MARKER}=alert(1)>",
    f"\u202e\u2067{_MARKER}=a()>\u200f",
    f"\x00{_MARKER}=b()>\x00",
    "-1e999",
    "[]",
    "",
)
_SENT_FILE: Final = (f'"{_MARKER}=alert(1)>.png', b"title\n<b>\x00\xff\xfe", "image/png")
# Of a list that links to itself with other filters, so many are looked at.
_QUERIES: Final = 4
# What ends the session, in this order, after all else.
_LAST: Final = (
    "/account/sessions/end-others",
    "/account/delete",
    "/admin/users/*/sign-out",
    "/sign-out",
)


@pytest.fixture
async def app(sqlite_database: str, tmp_path: Path) -> AsyncIterator[FastAPI]:
    """The app with a trace log whose pages can be looked at."""
    settings = Settings(
        database_url=sqlite_database,
        log_dir=tmp_path / "logs",
        public_origin=ORIGIN,
        files_dir=tmp_path / "files",
        picture_dir=tmp_path / "pictures",
    )
    app = app_with_known_routes(settings)
    app.state.hasher = PasswordHasher(memory_kib=8, passes=1)
    yield app
    await app.state.database.close()
    app.state.logger.close(0.0)


def shape(path: str) -> str:
    """A path without ids and query: pages and forms that differ in those alone are one."""
    return re.sub(r"[0-9a-f-]{16,}|\d+", "*", urlsplit(path).path)


def names(path: str) -> str:
    """What the query is about."""
    return " ".join(sorted(name for name, _value in parse_qsl(urlsplit(path).query)))


@dataclass
class Crawl:
    """One visitor's way over all that is linked from the front page."""

    browser: AsyncClient
    forms: dict[tuple[str, str], PageForm] = field(default_factory=dict)
    kept: bool = False
    """Whether some page shows what was sent, as text."""
    seen: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    async def over(self, *paths: str) -> None:
        queue = list(paths)
        while queue:
            path = urldefrag(queue.pop(0)).url
            if not path.startswith("/") or path.startswith("//"):
                continue
            queries = self.seen[shape(path)]
            if names(path) in queries or len(queries) == _QUERIES:
                continue
            queries.add(names(path))
            answer = await self.browser.get(path)
            unharmed(answer, path)
            if "location" in answer.headers:
                queue.append(answer.headers["location"])
            elif answer.headers["content-type"].startswith("text/html"):
                self.kept = self.kept or escape(_MARKER) in answer.text
                page = Page(answer.text)
                queue += [urljoin(path, link) for link in page.links]
                for form in page.forms:
                    form.action = urljoin(path, form.action or path)
                    same = self.forms.setdefault((form.method, shape(form.action)), form)
                    same.fields |= form.fields

    def in_order(self) -> tuple[list[PageForm], list[PageForm]]:
        """The forms, and those that end the session."""
        forms = self.forms.values()
        last = [form for end in _LAST for form in forms if shape(form.action) == end]
        return [form for form in forms if form not in last], last

    async def send(self, form: PageForm) -> None:
        """Each hostile value in all fields, then in one field after the other."""
        for value in _HOSTILE:
            await self._send(form, dict.fromkeys(form.fields, value))
        for name in form.fields if len(form.fields) > 1 else ():
            await self._send(form, {**form.fields, name: _HOSTILE[0]})

    async def _send(self, form: PageForm, values: dict[str, str]) -> None:
        if form.method == "get":
            answer = await self.browser.get(form.action, params=values)
        elif form.files:
            files = dict.fromkeys(form.files, _SENT_FILE)
            answer = await self.browser.post(form.action, data=values, files=files)
        else:
            answer = await self.browser.post(form.action, data=values)
        unharmed(answer, f"{form.action} {values}")


def unharmed(answer: Response, asked: str) -> None:
    """No error of the server, nothing of its inside, nothing that came back as markup."""
    assert answer.status_code < 500, asked
    assert not answer.headers.get("location", "/").startswith(("//", "http")), asked
    if answer.headers.get("content-type", "").startswith("text/html"):
        # The trace log shows administrators what went wrong, down to the line.
        if not asked.startswith("/logs"):
            assert not INSIDE.search(answer.text), asked
        assert _MARKER not in answer.text, asked


async def attack(
    browser: AsyncClient, delivered: Callable[[], bool], *, keeps: bool = True
) -> set[str]:
    """Send all forms that can be found, then look at all pages again; where the forms went."""
    assert delivered()
    crawl = Crawl(browser)
    await crawl.over("/")
    forms, last = crawl.in_order()
    for form in forms:
        await crawl.send(form)
    # What was kept comes back as text, on the pages and in the trace log.
    assert delivered()
    again = Crawl(browser)
    await again.over("/")
    assert ("/account" in again.seen) == ("/account" in crawl.seen), "still signed in"
    assert not keeps or again.kept, "it came back"
    for form in last:
        await crawl.send(form)
    return {shape(form.action) for form in (*forms, *last)}


async def test_forms_that_a_crawl_finds_do_not_break(visit: Visit, app: FastAPI) -> None:
    app.state.rate_limits = Unlimited()
    admin, hana = await visit("Admin"), await visit("Hana")
    async with app.state.database.system_session() as session:
        await session.execute(update(User).where(User.id == 1).values(role="admin"))
    for browser in (hana, admin):
        await add_item(browser, "Mine")
    delivered = partial(app.state.logger.shipper.drain, 60.0)

    found = await attack(browser_for(app), delivered, keeps=False)
    assert {"/sign-in", "/sign-up", "/forgot-password"} <= found
    found = await attack(hana, delivered)
    assert {"/items", "/items/*", "/items/import", "/account/password", "/account/email"} <= found
    assert {"/account/second-factor", "/account/tokens", "/account/delete", "/sign-out"} <= found
    found = await attack(admin, delivered)
    assert {"/admin/users", "/admin/users/*/disable", "/admin/users/*/role", "/logs"} <= found
