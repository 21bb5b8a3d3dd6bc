"""Whose address a request has, behind proxies and without."""

import pytest
from httpx import ASGITransport, AsyncClient
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from app.client_address import ClientAddress, block_of, networks

pytestmark = pytest.mark.anyio

RENDER = networks(["private", "cloudflare"])


async def seen(peer: str, *forwarded: str, trusted: object = RENDER, proto: str = "") -> str:
    """The scheme and the address that the app sees."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        assert request.client is not None
        await PlainTextResponse(f"{request.url.scheme} {request.client.host}")(scope, receive, send)

    wrapped = ClientAddress(app, trusted=trusted)  # type: ignore[arg-type]
    transport = ASGITransport(wrapped, client=(peer, 1234))
    headers = [("X-Forwarded-For", value) for value in forwarded]
    headers += [("X-Forwarded-Proto", proto)] if proto else []
    async with AsyncClient(transport=transport, base_url="http://app.test") as client:
        return (await client.get("/", headers=headers)).text


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (["203.0.113.9, 172.68.1.2, 10.1.2.3"], "203.0.113.9"),
        (["198.51.100.1, 203.0.113.9, 172.68.1.2"], "203.0.113.9"),
        (["198.51.100.1", "203.0.113.9"], "203.0.113.9"),
        (["10.0.0.1, 203.0.113.9"], "203.0.113.9"),
        (["2001:db8::1, 2606:4700::5"], "2001:db8::1"),
        (["<script>, 172.68.1.2"], "172.68.1.2"),
        (["203.0.113.9:80"], "10.9.9.9"),
        (["::ffff:203.0.113.9, ::ffff:10.0.0.1"], "203.0.113.9"),
        (["10.0.0.1, 10.0.0.2"], "10.0.0.1"),
        ([], "10.9.9.9"),
        ([""], "10.9.9.9"),
    ],
)
async def test_behind_trusted_proxies_the_last_stranger_is_the_client(
    forwarded: list[str], address: str
) -> None:
    assert await seen("10.9.9.9", *forwarded) == f"http {address}"
    if len(forwarded) == 1 and address != "10.9.9.9":
        assert await seen("::ffff:10.9.9.9", *forwarded) == f"http {address}"


async def test_a_stranger_can_say_what_they_like() -> None:
    assert await seen("203.0.113.9", "198.51.100.1", proto="https") == "http 203.0.113.9"
    assert await seen("10.9.9.9", "198.51.100.1", trusted=()) == "http 10.9.9.9"


async def test_the_scheme_is_what_the_proxy_heard() -> None:
    assert await seen("10.9.9.9", "203.0.113.9", proto="https") == "https 203.0.113.9"
    assert await seen("10.9.9.9", "203.0.113.9", proto="gopher") == "http 203.0.113.9"


@pytest.mark.parametrize("name", ["everybody", "10.0.0.1/8", ""])
def test_what_is_no_network_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        networks([name])


@pytest.mark.parametrize(
    ("address", "block"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_addresses_that_one_person_has_count_together(address: str, block: str) -> None:
    assert block_of(address) == block
