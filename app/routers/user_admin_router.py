"""Accounts, for administrators: roles, closing them, signing them out, their trace log."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from app.dependencies import (
    Events,
    OAuthDep,
    SessionServiceDep,
    UserAdminDep,
    administration,
    fresh_user,
)
from app.forms import read_form
from app.routers.account_pages import EventsPage, UserPageOfAdmin, UsersPage
from app.schemas.numbers import IdFromZero, RowId
from app.services.errors import LastAdmin
from app.templating import Toast, language_of, redirect, render

router = APIRouter(prefix="/admin", include_in_schema=False, dependencies=[Depends(administration)])

_FRESH = [Depends(fresh_user)]


@router.get("/users")
async def list_users(
    request: Request,
    users: UserAdminDep,
    q: Annotated[str, Query(max_length=200)] = "",
    after: IdFromZero = 0,
) -> Response:
    """Users by age, or those whose address or name contains `q`."""
    query = q.replace("\x00", "").strip()
    return render(request, UsersPage(await users.page(query, after), query))


@router.get("/events")
async def list_events(request: Request, events: Events) -> Response:
    """What happened lately, to anybody's account."""
    return render(request, EventsPage(await events.latest()))


@router.get("/users/{user_id}")
async def show_user(
    request: Request,
    users: UserAdminDep,
    sessions: SessionServiceDep,
    oauth: OAuthDep,
    events: Events,
    user_id: RowId,
) -> Response:
    """One account: what it may, where it is signed in, what happened to it."""
    user = await users.get(user_id)
    page = UserPageOfAdmin(
        user,
        await oauth.linked(user),
        await sessions.all_of(user_id),
        await events.latest(user_id),
    )
    return render(request, page)


@router.post("/users/{user_id}/role", dependencies=_FRESH)
async def set_role(request: Request, users: UserAdminDep, user_id: RowId) -> Response:
    """Make somebody an administrator, or no longer one."""
    _ = language_of(request).gettext
    wanted = (await read_form(request)).get("role", "")
    try:
        user = await users.set_role(user_id, "admin" if wanted == "admin" else "user")
    except LastAdmin:
        return _only_admin(request, user_id)
    done = _("%(name)s has another role now, and has to sign in again.") % {"name": user.name}
    return redirect(request, f"/admin/users/{user_id}", Toast(done))


@router.post("/users/{user_id}/disable", dependencies=_FRESH)
async def disable(request: Request, users: UserAdminDep, user_id: RowId) -> Response:
    """Close an account: nobody gets in with it any more."""
    try:
        user = await users.disable(user_id)
    except LastAdmin:
        return _only_admin(request, user_id)
    done = language_of(request).gettext("The account of %(name)s is closed.") % {"name": user.name}
    return redirect(request, f"/admin/users/{user_id}", Toast(done))


@router.post("/users/{user_id}/enable", dependencies=_FRESH)
async def enable(request: Request, users: UserAdminDep, user_id: RowId) -> Response:
    """Open an account again."""
    user = await users.enable(user_id)
    done = language_of(request).gettext("The account of %(name)s is open.") % {"name": user.name}
    return redirect(request, f"/admin/users/{user_id}", Toast(done))


@router.post("/users/{user_id}/sign-out", dependencies=_FRESH)
async def sign_out_everywhere(request: Request, users: UserAdminDep, user_id: RowId) -> Response:
    """End all of a user's sessions and tokens."""
    user = await users.sign_out(user_id)
    done = language_of(request).gettext("%(name)s is signed out everywhere.") % {"name": user.name}
    return redirect(request, f"/admin/users/{user_id}", Toast(done))


@router.post("/users/{user_id}/log")
async def look_at_log(request: Request, users: UserAdminDep, user_id: RowId) -> Response:
    """Note who looks, then show the user's requests."""
    await users.look_at_log(user_id)
    return redirect(request, f"/logs/requests?user={user_id}")


def _only_admin(request: Request, user_id: int) -> Response:
    alone = language_of(request).gettext("This is the only administrator.")
    return redirect(request, f"/admin/users/{user_id}", Toast(alone, "error"))
