"""Response headers, refusal of forged requests, body limits, local redirects."""

import re
from collections.abc import AsyncIterator

import pytest
from httpx import ASGITransport, AsyncClient
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.security import CSRF, BodyLimit, HostCheck, SecurityHeaders, local_path, return_path

ORIGIN = "https://app.example"
LIMIT = 1000


async def _length(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def _cached(request: Request) -> Response:
    headers = {"Cache-Control": "public, max-age=60", "Referrer-Policy": "no-referrer"}
    return PlainTextResponse("", headers=headers)


async def _refuse(request: Request, status: int) -> Response:
    return PlainTextResponse("refused", status)


def client(*middleware: Middleware) -> AsyncClient:
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    routes = [
        Route("/api/items", _length, methods=methods),
        Route("/cached", _cached),
        Route("/{path:path}", _length, methods=methods),
    ]
    app = Starlette(routes=routes, middleware=middleware)
    return AsyncClient(transport=ASGITransport(app), base_url=ORIGIN)


class TestHeaders:
    @pytest.fixture
    def browser(self) -> AsyncClient:
        return client(Middleware(SecurityHeaders, https=True))

    async def test_the_policy_allows_nothing_that_is_not_the_apps_own(
        self, browser: AsyncClient
    ) -> None:
        policy = (await browser.get("/")).headers["content-security-policy"]
        directives = dict(part.split(" ", 1) for part in policy.split("; "))
        assert directives["default-src"] == "'none'"
        assert directives["frame-ancestors"] == "'none'"
        assert directives["base-uri"] == "'none'"
        assert directives["object-src"] == "'none'"
        assert directives["form-action"] == "'self'"
        sources = {source for value in directives.values() for source in value.split()}
        assert sources == {"'none'", "'self'", "data:"}
        assert "data:" not in directives["script-src"]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("strict-transport-security", "max-age=31536000; includeSubDomains"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
        ],
    )
    async def test_asvs_headers(self, browser: AsyncClient, name: str, value: str) -> None:
        assert (await browser.get("/")).headers[name] == value

    async def test_a_response_may_say_otherwise(self, browser: AsyncClient) -> None:
        headers = (await browser.get("/cached")).headers
        assert headers["cache-control"] == "public, max-age=60"
        assert headers["referrer-policy"] == "no-referrer"

    async def test_no_promise_of_https_without_https(self) -> None:
        browser = client(Middleware(SecurityHeaders, https=False))
        assert "strict-transport-security" not in (await browser.get("/")).headers


def guarded(public_origin: str = ORIGIN) -> AsyncClient:
    return client(
        Middleware(CSRF, public_origin=public_origin, session_cookie="session", refuse=_refuse)
    )


class TestCSRF:
    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "same-origin"},
            {"Sec-Fetch-Site": "none"},
            {"Origin": ORIGIN},
            {"Sec-Fetch-Site": "same-origin", "Origin": "http://10.0.0.7:8000"},
        ],
    )
    async def test_requests_of_the_site_itself_pass(self, headers: dict[str, str]) -> None:
        answer = await guarded().post("/sign-in", headers=headers, content=b"12")
        assert (answer.status_code, answer.text) == (200, "2")

    @pytest.mark.parametrize("cookie", [{}, {"Cookie": "session=x"}])
    @pytest.mark.parametrize("path", ["/sign-in", "/items", "/api/items"])
    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "cross-site", "Origin": ORIGIN},
            {"Sec-Fetch-Site": "strange"},
            {"Origin": "https://evil.example"},
            {"Origin": "https://app.example.evil.example"},
            {"Origin": "http://app.example"},
            {"Origin": "null"},
        ],
    )
    async def test_requests_of_other_sites_are_refused(
        self, method: str, path: str, headers: dict[str, str], cookie: dict[str, str]
    ) -> None:
        answer = await guarded().request(method, path, headers=headers | cookie)
        assert (answer.status_code, answer.text) == (403, "refused")

    async def test_without_a_word_only_the_api_without_a_session_passes(self) -> None:
        browser = guarded()
        assert (await browser.post("/api/items")).status_code == 200
        assert (await browser.post("/sign-in")).status_code == 403
        signed_in = {"Cookie": "session=x"}
        assert (await browser.post("/api/items", headers=signed_in)).status_code == 403

    async def test_reading_is_never_refused(self) -> None:
        answer = await guarded().get("/items", headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 200

    @pytest.mark.parametrize(
        ("origin", "status"),
        [
            ("https://app.example", 200),
            ("http://app.example", 200),
            ("http://evil.example", 403),
            ("http://app.example@evil.example", 403),
            ("null", 403),
            ("http://[::1", 403),
        ],
    )
    async def test_without_a_public_origin_the_host_counts(self, origin: str, status: int) -> None:
        answer = await guarded("").post("/items", headers={"Origin": origin})
        assert answer.status_code == status


class TestHostCheck:
    @pytest.fixture
    def app(self) -> AsyncClient:
        return client(Middleware(HostCheck, public_origin=ORIGIN, refuse=_refuse))

    async def test_the_own_host_is_served(self, app: AsyncClient) -> None:
        host = ORIGIN.partition("://")[2]
        assert (await app.get("/length", headers={"Host": host})).status_code != 421

    @pytest.mark.parametrize("host", ["evil.example.com", "", "app.test.evil.example.com"])
    async def test_another_is_refused(self, app: AsyncClient, host: str) -> None:
        assert (await app.get("/length", headers={"Host": host})).status_code == 421

    async def test_health_checks_may_ask_by_any(self, app: AsyncClient) -> None:
        answer = await app.get("/healthz", headers={"Host": "10.0.0.7:10000"})
        assert answer.status_code != 421


class TestBodyLimit:
    @pytest.fixture
    def browser(self) -> AsyncClient:
        return client(Middleware(BodyLimit, max_bytes=LIMIT, refuse=_refuse))

    async def test_up_to_the_limit(self, browser: AsyncClient) -> None:
        assert (await browser.post("/", content=b"x" * LIMIT)).text == str(LIMIT)

    async def test_a_declared_length_is_refused_before_it_is_read(
        self, browser: AsyncClient
    ) -> None:
        answer = await browser.post("/", content=b"x" * (LIMIT + 1))
        assert (answer.status_code, answer.text) == (413, "refused")

    async def test_zeros_before_a_declared_length_are_none_of_it(
        self, browser: AsyncClient
    ) -> None:
        headers = {"Content-Length": "0" * 5000 + "5"}
        assert (await browser.post("/", content=b"hello", headers=headers)).text == "5"

    async def test_an_undeclared_one_as_soon_as_it_is_too_much(self, browser: AsyncClient) -> None:
        sent = 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal sent
            while sent < 100 * LIMIT:
                sent += 100
                yield b"x" * 100

        answer = await browser.post("/", content=endless())
        assert answer.status_code == 413
        assert sent < 2 * LIMIT, "the rest is not read"

    async def test_it_counts_what_comes_whatever_is_declared(self) -> None:
        received = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            received.append(await receive())

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": b"x" * (LIMIT + 1), "more_body": False}

        async def send(message: object) -> None: ...

        headers = [(b"content-length", b"5")]
        scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
        limited = BodyLimit(app, max_bytes=LIMIT, refuse=_refuse)
        with pytest.raises(Exception, match="413"):
            await limited(scope, receive, send)
        assert not received

    async def test_paths_that_take_files_have_a_limit_of_their_own(self) -> None:
        larger = [(re.compile(r"/items/\d+/files"), 5 * LIMIT)]
        browser = client(Middleware(BodyLimit, max_bytes=LIMIT, refuse=_refuse, larger=larger))
        for path, most in (("/items/1/files", 5 * LIMIT), ("/items/1/files/2", LIMIT)):
            assert (await browser.post(path, content=b"x" * most)).text == str(most)
            assert (await browser.post(path, content=b"x" * (most + 1))).status_code == 413


async def test_streams_pass_piece_by_piece() -> None:
    """No layer waits for the end of a response."""
    sent: list[bytes] = []
    seen_by_source: list[int] = []

    async def source() -> AsyncIterator[bytes]:
        for piece in (b"one", b"two"):
            yield piece
            seen_by_source.append(len(sent))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await StreamingResponse(source())(scope, receive, send)

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        if body := message.get("body"):
            sent.append(body)  # type: ignore[arg-type]

    layers = SecurityHeaders(
        CSRF(
            BodyLimit(app, max_bytes=LIMIT, refuse=_refuse),
            public_origin=ORIGIN,
            session_cookie="session",
            refuse=_refuse,
        ),
        https=True,
    )
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "headers": [],
        "asgi": {"spec_version": "2.4"},
    }
    await layers(scope, receive, send)  # type: ignore[arg-type]
    assert seen_by_source == [1, 2]


@pytest.mark.parametrize("path", ["/", "/items?q=a%20b&status=done", "/a/b#c", "/日本語", "/@x"])
def test_local_paths(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "url",
    [
        "",
        "items",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "https://evil.example/",
        "https:evil.example",
        "javascript:alert(1)",
        " //evil.example",
        "/ok\r\nSet-Cookie: a=b",
    ],
)
def test_what_could_lead_elsewhere_becomes_the_default(url: str) -> None:
    assert local_path(url, "/home") == "/home"


@pytest.mark.parametrize(
    ("referer", "path"),
    [
        ("https://app.example/items?q=a", "/items?q=a"),
        ("https://app.example", "/home"),
        ("https://app.example//evil.example/", "/home"),
        ("https://evil.example/items", "/home"),
        ("https://app.example@evil.example/", "/home"),
        ("about:blank", "/home"),
        ("http://[", "/home"),
    ],
)
def test_the_way_back_is_on_this_site(referer: str, path: str) -> None:
    headers = [(b"host", b"app.example"), (b"referer", referer.encode())]
    request = Request({"type": "http", "method": "POST", "path": "/", "headers": headers})
    assert return_path(request, "/home") == path
