"""What keeps browsers safe: response headers, refusal of forged requests, a limit on bodies.

All of it is pure ASGI, so that streams pass unbuffered and context variables hold.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Refusal = Callable[[Request, int], Awaitable[Response]]
"""Makes the response of a status: `app.errors.error_response`."""

CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "object-src 'none'",
    )
)
_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    # Within the site the full address: forms without script come back to the page they were on.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_HSTS: Final = "max-age=31536000; includeSubDomains"
_HEALTH: Final = frozenset({"/healthz", "/readyz"})
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class SecurityHeaders:
    """Adds the headers of OWASP ASVS 5, V3.4, to every response; `https` adds HSTS.

    A response that does not say how it may be cached may not be: pages show what only their reader
    may see.
    """

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self.app = app
        self.headers = _HEADERS | ({"Strict-Transport-Security": _HSTS} if https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self.app(scope, receive, send_with_headers)


class CSRF:
    """Refuses unsafe requests that another site made a browser send.

    Browsers say where a request comes from in `Sec-Fetch-Site`, older ones in `Origin`, which must
    be `public_origin`, or the request's own host while that is not set. A request with neither is
    no browser's, or an old one's: it passes only under `/api` and without a session cookie.
    """

    def __init__(
        self, app: ASGIApp, *, public_origin: str, session_cookie: str, refuse: Refusal
    ) -> None:
        self.app = app
        self.public_origin = public_origin
        self.session_cookie = session_cookie
        self.refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in _SAFE_METHODS:
            request = Request(scope, receive)
            if not self._allows(request):
                response = await self.refuse(request, 403)
                await response(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _allows(self, request: Request) -> bool:
        headers = request.headers
        if site := headers.get("sec-fetch-site"):
            return site in {"same-origin", "none"}
        if origin := headers.get("origin"):
            if self.public_origin:
                return origin == self.public_origin
            host = split_url(origin).netloc
            return bool(host) and host == headers.get("host", "")
        return request.url.path.startswith("/api/") and self.session_cookie not in request.cookies


class HostCheck:
    """Answers 421 to requests for another host than `public_origin`'s: links would lead there.

    Health checks ask by whatever address they have.
    """

    def __init__(self, app: ASGIApp, *, public_origin: str, refuse: Refusal) -> None:
        self.app = app
        self.host = urlsplit(public_origin).netloc
        self.refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] == "http"
            and scope["path"] not in _HEALTH
            and Headers(scope=scope).getlist("host") != [self.host]
        ):
            response = await self.refuse(Request(scope, receive), 421)
            await response(scope, receive, send)
            return
        await self.app(scope, receive, send)


class BodyLimit:
    """Answers 413 to bodies of more than `max_bytes`, before they are read where possible.

    `larger` has other limits for paths that take files; the first pattern that fits a path counts.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_bytes: int,
        refuse: Refusal,
        larger: Sequence[tuple[re.Pattern[str], int]] = (),
    ) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.refuse = refuse
        self.larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        fitting = (limit for pattern, limit in self.larger if pattern.fullmatch(path))
        max_bytes = next(fitting, self.max_bytes)
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdigit() and int(declared[-20:]) > max_bytes:  # zeros may lead
            response = await self.refuse(Request(scope, receive), 413)
            await response(scope, receive, send)
            return
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > max_bytes:
                raise HTTPException(413)
            return message

        await self.app(scope, receive_counted, send)


def local_path(url: str, default: str = "/") -> str:
    """`url` where it is a path of this site, else `default`: redirects never leave the site."""
    # Browsers read `\\` as `/` and drop tabs and line breaks, which can turn a path into a host.
    if not url.startswith("/") or url.startswith("//") or "\\" in url or not url.isprintable():
        return default
    try:
        parts = urlsplit(url)
    except ValueError:
        return default
    return default if parts.scheme or parts.netloc else url


def split_url(url: str) -> SplitResult:
    """The parts of a URL that anybody may have written; empty ones where it is none."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def current_url(request: Request) -> SplitResult:
    """The page that htmx sent a request from."""
    return split_url(request.headers.get("hx-current-url", ""))


def return_path(request: Request, default: str = "/") -> str:
    """The page that a form was on, from `Referer`, as a local path; else `default`."""
    referer = split_url(request.headers.get("referer", ""))
    if referer.netloc != request.headers.get("host", ""):
        return default
    path = f"{referer.path}?{referer.query}" if referer.query else referer.path
    return local_path(path, default)
