"""The administrator's pages."""

import html
import re
from typing import get_args

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import select, update

from app.models.account_event import AccountEvent
from app.models.user import User
from app.services.account_events import AccountEvents
from app.services.errors import OAuthReason
from tests.routers.conftest import ON_BOTH, Visit

pytestmark = ON_BOTH


@pytest.fixture
async def admin(visit: Visit, app: FastAPI) -> AsyncClient:
    """A browser in which an administrator is signed in; their id is 1."""
    browser = await visit("Admin")
    async with app.state.database.system_session() as session:
        await session.execute(update(User).values(role="admin"))
    return browser


async def test_others_do_not_get_there(hana: AsyncClient, client: AsyncClient) -> None:
    for path in ("/admin/users", "/admin/users/1", "/admin/events"):
        assert (await hana.get(path)).status_code == 403
        assert (await client.get(path)).headers["location"].startswith("/sign-in")
    for action in ("role", "disable", "enable", "sign-out", "log"):
        assert (await hana.post(f"/admin/users/1/{action}")).status_code == 403


async def test_people_are_listed_and_found(admin: AsyncClient, visit: Visit) -> None:
    await visit("Hana")
    page = (await admin.get("/admin/users")).text
    assert "admin@example.com" in page
    assert "hana@example.com" in page
    assert (
        "admin@example.com" not in (await admin.get("/admin/users?q=hana")).text.split("<tbody")[1]
    )
    assert "Nobody fits." in (await admin.get("/admin/users?q=%25")).text
    assert (await admin.get("/admin/users/99")).status_code == 404


async def test_of_a_user_to_whom_nothing_has_happened_the_page_says_so(
    admin: AsyncClient, visit: Visit
) -> None:
    await visit("Hana")
    assert "Nothing so far." in (await admin.get("/admin/users/2")).text


async def test_a_closed_account_is_out_at_once_and_can_be_opened_again(
    admin: AsyncClient, hana: AsyncClient
) -> None:
    await admin.post("/admin/users/2/disable")
    assert (await hana.get("/account")).status_code == 303
    fields = {"email": "hana@example.com", "password": "correct horse battery"}
    assert "This account is closed." in (await hana.post("/sign-in", data=fields)).text
    await admin.post("/admin/users/2/enable")
    assert (await hana.post("/sign-in", data=fields)).status_code == 303


async def test_another_role_takes_another_sign_in(admin: AsyncClient, hana: AsyncClient) -> None:
    await admin.post("/admin/users/2/role", data={"role": "admin"})
    assert (await hana.get("/account")).status_code == 303
    await admin.post("/admin/users/2/sign-out")
    page = (await admin.get("/admin/users/2")).text
    for event in ("Role changed", "Signed out everywhere"):
        assert event in page


async def test_the_only_administrator_stays_one(admin: AsyncClient) -> None:
    for action in ("role", "disable"):
        await admin.post(f"/admin/users/1/{action}", data={"role": "user"})
        assert "This is the only administrator." in (await admin.get("/admin/users/1")).text


async def test_what_is_known_of_an_event_is_told_in_the_language_of_the_reader(
    admin: AsyncClient, app: FastAPI
) -> None:
    reasons = [f"github: {reason}" for reason in get_args(OAuthReason)]
    async with app.state.database.system_session() as session:
        events = AccountEvents(session)
        for detail in (*reasons, "password, code", "link", "google"):
            await events.record("sign_in_failed", 1, detail=detail)
        await events.record("role_changed", 1, detail="admin")
        await events.record("token_made", 1, detail="password, code")
    page = (await admin.get("/admin/events", headers={"Accept-Language": "ja"})).text
    told = [html.unescape(each) for each in re.findall(r'base-content/70">\(([^<]*)\)<', page)]
    assert told[:3] == ["password, code", "管理者", "Google"]
    assert told[4] == "パスワード, 2 段階認証"
    assert "GitHub: 許可なし" in told
    words = " ".join(told[1:]).replace("GitHub", "").replace("Google", "")
    assert not re.search("[a-z]", words)


async def test_looking_at_the_log_of_somebody_is_on_record(
    admin: AsyncClient, hana: AsyncClient, app: FastAPI
) -> None:
    answer = await admin.post("/admin/users/2/log")
    assert answer.headers["location"] == "/logs/requests?user=2"
    async with app.state.database.system_session() as session:
        event = await session.scalar(select(AccountEvent).order_by(AccountEvent.id.desc()))
    assert (event.kind, event.user_id, event.actor_id) == ("log_viewed", 2, 1)
    assert event.trace_id == answer.headers["x-trace-id"]
    assert "Trace log looked at" in (await hana.get("/account/sessions")).text
    assert "Trace log looked at" in (await admin.get("/admin/events")).text
