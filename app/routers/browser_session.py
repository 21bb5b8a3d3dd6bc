"""How a browser gets its session, and what it holds on the way there."""

import json
from typing import Final

from fastapi import Request, Response

from app.config import Settings
from app.cookies import SESSION, delete_cookie, read_cookie, set_cookie
from app.dependencies import client_ip
from app.lib.secret_box import SecretBox
from app.models.login_session import LoginSession
from app.models.user import User
from app.security import local_path
from app.services.account_events import AccountEvents
from app.services.account_provider import Proven
from app.services.session_renewal import PURPOSE
from app.services.session_service import ABSOLUTE, SessionService
from app.templating import Toast, redirect

AFTER_SIGN_IN: Final = "/items"
PENDING: Final = "pending"
"""Cookie of somebody who proved one thing, and has to do one more."""
_PENDING_SECONDS: Final = 600


async def complete_sign_in(
    request: Request,
    sessions: SessionService,
    events: AccountEvents,
    proven: Proven,
    next_: str,
    *,
    how: str,
    toast: Toast | None = None,
) -> Response:
    """Start the session, or ask for the second factor first."""
    user = proven.user
    if user.has_second_factor:
        response = redirect(request, "/sign-in/code")
        set_pending(request, response, "code", user, next=next_, tokens=proven.tokens, how=how)
        return response
    response = redirect(request, local_path(next_, AFTER_SIGN_IN), toast)
    await start_session(request, response, sessions, user, proven.tokens)
    await events.record("signed_in", user.id, actor_id=user.id, detail=how)
    return response


async def start_session(
    request: Request, response: Response, sessions: SessionService, user: User, tokens: str
) -> None:
    """Give the browser a fresh session; the one it had, if any, ends."""
    if old := read_cookie(request, SESSION):
        await sessions.end(old)
    token = await sessions.start(
        user,
        user_agent=request.headers.get("user-agent", ""),
        ip=client_ip(request),
        provider_token=_sealed(request, tokens),
    )
    write_session(request, response, token)
    if read_cookie(request, PENDING):
        delete_cookie(response, _settings(request), PENDING)


async def renew_session(
    request: Request, response: Response, sessions: SessionService, login: LoginSession, tokens: str
) -> None:
    """The user proved again who they are: their session goes on under another token."""
    write_session(request, response, await sessions.renew(login, _sealed(request, tokens)))


def write_session(request: Request, response: Response, token: str) -> None:
    """Put a session's token into the browser's cookie."""
    max_age = int(ABSOLUTE.total_seconds())
    set_cookie(response, _settings(request), SESSION, token, max_age=max_age)


def set_pending(
    request: Request, response: Response, purpose: str, user: User, **values: str
) -> None:
    """Note, encrypted in a cookie, that `user` proved the first of two things."""
    content = {**values, "user": user.id, "state": _state(request, user)}
    sealed = _box(request).seal(f"pending {purpose}", json.dumps(content))
    set_cookie(response, _settings(request), PENDING, sealed, max_age=_PENDING_SECONDS)


async def read_pending(
    request: Request, purpose: str, session_of: SessionService
) -> tuple[User, dict[str, str]] | None:
    """Who proved it and what was noted; None after ten minutes, or when the password changed."""
    sealed = read_cookie(request, PENDING)
    text = _box(request).open(f"pending {purpose}", sealed, max_age=_PENDING_SECONDS)
    if text is None:
        return None
    content = json.loads(text)
    user = await session_of.user(content["user"])
    if user is None or content["state"] != _state(request, user):
        return None
    return user, content


def drop_pending(request: Request, response: Response) -> None:
    """It was done: the cookie is good for nothing more."""
    delete_cookie(response, _settings(request), PENDING)


def _sealed(request: Request, tokens: str) -> str:
    return _box(request).seal(PURPOSE, tokens) if tokens else ""


def _state(request: Request, user: User) -> str:
    """Changes with whatever should make a note invalid."""
    return _box(request).digest("pending", f"{user.id}:{user.password_hash}:{user.totp_step}")


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


def _box(request: Request) -> SecretBox:
    box: SecretBox = request.app.state.box
    return box
