"""The client's address behind proxies: what nobody in front of them can forge."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

Network = IPv4Network | IPv6Network

NAMED: Final = {
    "private": (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    ),
    # https://www.cloudflare.com/ips/
    "cloudflare": (
        *("173.245.48.0/20", "103.21.244.0/22", "103.22.200.0/22", "103.31.4.0/22"),
        *("141.101.64.0/18", "108.162.192.0/18", "190.93.240.0/20", "188.114.96.0/20"),
        *("197.234.240.0/22", "198.41.128.0/17", "162.158.0.0/15", "104.16.0.0/13"),
        *("104.24.0.0/14", "172.64.0.0/13", "131.0.72.0/22"),
        *("2400:cb00::/32", "2606:4700::/32", "2803:f800::/32", "2405:b500::/32"),
        *("2405:8100::/32", "2a06:98c0::/29", "2c0f:f248::/32"),
    ),
}
"""Networks that a setting may call by a name."""


def networks(names: Iterable[str]) -> tuple[Network, ...]:
    """The networks of names and CIDR notations. Raises `ValueError`."""
    return tuple(ip_network(cidr) for name in names for cidr in NAMED.get(name, (name,)))


def block_of(address: str) -> str:
    """All addresses that whoever has this one may come from: of IPv6 a network of 64 bits."""
    try:
        found = _parse(address)
    except ValueError:
        return address
    return str(ip_network((found, 64), strict=False)) if found.version == 6 else str(found)


def _parse(address: str) -> IPv4Address | IPv6Address:
    """Raises `ValueError`."""
    found = ip_address(address)
    # A socket for both kinds writes those of IPv4 like this.
    return getattr(found, "ipv4_mapped", None) or found


class ClientAddress:
    """Takes the client's address and scheme from the headers of `trusted` proxies.

    Each proxy appends to `X-Forwarded-For` whom it heard. From the right, the first address that is
    no trusted proxy's is the client's; what stands left of it anybody can have written.
    """

    def __init__(self, app: ASGIApp, *, trusted: Iterable[Network]) -> None:
        self.app = app
        self.trusted = tuple(trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope.get("client") and self._trusts(scope["client"][0]):
            headers = Headers(scope=scope)
            chain = ",".join(headers.getlist("x-forwarded-for")).split(",")
            scope["client"] = (self._client(chain, scope["client"][0]), 0)
            if headers.get("x-forwarded-proto") in {"http", "https"}:
                scope["scheme"] = headers["x-forwarded-proto"]
        await self.app(scope, receive, send)

    def _client(self, chain: list[str], peer: str) -> str:
        client = peer
        for entry in reversed(chain):
            try:
                client = str(_parse(entry.strip()))
            except ValueError:
                break  # what follows was not written by a proxy
            if not self._trusts(client):
                break
        return client

    def _trusts(self, address: str) -> bool:
        try:
            found = _parse(address)
        except ValueError:
            return False
        return any(found in network for network in self.trusted)
