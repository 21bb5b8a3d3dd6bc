"""Cookies, all set the same careful way: HttpOnly, SameSite=Lax, host-only, Secure on https."""

from fastapi import Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.config import Settings
from app.product import SLUG

YEAR = 365 * 24 * 3600
SESSION = "session"
LANGUAGE = "lang"
THEME = "theme"
FLASH = "flash"
OAUTH = "oauth"  # there while its user is at another service to sign in
JOBS = "jobs"  # there while a job of this browser's user may be going on
TIME_ZONE = "tz"  # written by the page's script, so not HttpOnly, and the same for all products


def cookie_name(settings: Settings, name: str) -> str:
    """The name on the wire: `__Host-` pins a cookie to this host, and needs https.

    The ports of one host share their cookies, and on a developer's machine so do its products: each
    one's begin with its own name.
    """
    return f"{'__Host-' if settings.secure_cookies else ''}{SLUG}-{name}"


def read_cookie(request: Request, name: str) -> str:
    """The cookie's value, or an empty string."""
    settings: Settings = request.app.state.settings
    return request.cookies.get(cookie_name(settings, name), "")


def set_cookie(
    response: Response, settings: Settings, name: str, value: str, *, max_age: int | None
) -> None:
    """Set a cookie for `max_age` seconds; None lasts until the browser closes."""
    response.set_cookie(
        cookie_name(settings, name),
        value,
        max_age=max_age,
        path="/",
        secure=settings.secure_cookies,
        httponly=True,
        samesite="lax",
    )


def delete_cookie(response: Response, settings: Settings, name: str) -> None:
    """Ask the browser to forget a cookie."""
    response.delete_cookie(
        cookie_name(settings, name),
        path="/",
        secure=settings.secure_cookies,
        httponly=True,
        samesite="lax",
    )


class PlainCookies:
    """Lets no cookie have a backslash: in quotes, Python's reading of many takes their square.

    That is CVE-2024-7592, in Python before 3.11.10 and 3.12.6: one header of 16 KB stops the whole
    app for seconds. Cookies of this app have none.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and any(b"\\" in value for _, value in scope["headers"]):
            scope["headers"] = [
                (name, value.replace(b"\\", b"%5C") if name == b"cookie" else value)
                for name, value in scope["headers"]
            ]
        await self.app(scope, receive, send)
