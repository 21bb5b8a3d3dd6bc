"""Tells alarms to webhooks. An address that somebody typed must not lead into the server's network.

Its name is looked up here and the address that was looked at is the one that is called, so a name
that means another address a moment later gets nowhere. Redirects are not followed.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

import httpx

from app.config import Settings
from app.services.logs.alerts import Alarm

WEBHOOK_SECONDS: Final = 10.0
MOST_CHARS: Final = 1000
_TRIES: Final = 3

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a host. Raises `OSError`."""


@dataclass(frozen=True, slots=True)
class WebhookRules:
    """Which addresses may be called: https ones; `local` ones of this machine without it too.

    Those of private networks only if they are `private`.
    """

    local: bool
    private: bool

    @classmethod
    def of(cls, settings: Settings) -> "WebhookRules":
        in_public = settings.environment == "production"
        return cls(local=not in_public, private=not in_public or settings.alert_private_webhooks)

    def takes(self, url: str) -> bool:
        """Whether an address is of the right form."""
        try:
            parts = urlsplit(url)
            safe = parts.scheme == "https" or (
                parts.scheme == "http" and self.local and _is_loopback(parts.hostname or "")
            )
            return (
                safe
                and bool(parts.hostname)
                and parts.username is None
                and (parts.port is None or parts.port > 0)
                and url.isprintable()
                and len(url) <= MOST_CHARS
            )
        except ValueError:
            return False

    def reaches(self, address: str) -> bool:
        """Whether a host's IP address may be called."""
        found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
        if isinstance(found, IPv6Address) and found.ipv4_mapped:
            found = found.ipv4_mapped
        if found.is_multicast or found.is_unspecified:
            return False
        return self.private or found.is_global


async def look_up(host: str, port: int) -> list[str]:
    """Ask the system for a host's addresses."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class Webhooks:
    """Tells alarms to their webhooks, as JSON that Slack, Discord and Teams understand too."""

    def __init__(
        self,
        origin: str,
        rules: WebhookRules,
        transport: httpx.AsyncBaseTransport | None = None,
        resolve: Resolve = look_up,
    ) -> None:
        self._origin = origin
        self._rules = rules
        self._transport = transport
        self._resolve = resolve

    async def __call__(self, alarm: Alarm, *, test: bool = False) -> str:
        """Call the alarm's webhook, a few times if need be: `ok`, or what went wrong."""
        text = sentence(alarm, test=test)
        if self._origin:
            text += f"\n{self._origin}/logs/alerts"
        rule = alarm.rule
        body = {
            "text": text,
            "content": text,
            "state": "test" if test else "resolved" if alarm.ended_at else "alarm",
            "metric": rule.metric,
            "value": alarm.value,
            "threshold": rule.threshold,
            "minutes": rule.minutes,
            "host": alarm.subject,
            "began_at": alarm.began_at.isoformat(),
        }
        outcome = ""
        for pause in range(_TRIES):
            await asyncio.sleep(pause)
            outcome = await self._post(rule.webhook, body)
            if outcome == "ok":
                break
        return outcome

    async def _post(self, url: str, body: Mapping[str, object]) -> str:
        if not self._rules.takes(url):
            return "not an https:// address"
        try:
            async with asyncio.timeout(WEBHOOK_SECONDS):
                return await self._send(httpx.URL(url), body)
        except TimeoutError:
            return "no answer in time"
        except OSError:
            return "no such host"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return type(error).__name__

    async def _send(self, url: httpx.URL, body: Mapping[str, object]) -> str:
        addresses = await self._resolve(
            url.host, url.port or (443 if url.scheme == "https" else 80)
        )
        allowed = [address for address in addresses if self._rules.reaches(address)]
        if not allowed:
            return "a private address"
        request = httpx.Request(
            "POST",
            url.copy_with(host=allowed[0]),
            json=body,
            headers={"Host": url.netloc.decode("ascii")},
            extensions={
                "sni_hostname": url.host,
                "timeout": httpx.Timeout(WEBHOOK_SECONDS).as_dict(),
            },
        )
        async with httpx.AsyncClient(transport=self._transport, trust_env=False) as client:
            answer = await client.send(request, stream=True)
            await answer.aclose()
        return "ok" if answer.is_success else f"HTTP {answer.status_code}"


def sentence(alarm: Alarm, *, test: bool = False) -> str:
    """An alarm in one line, for whoever reads the webhook's channel."""
    rule = alarm.rule
    what = {
        "error_rate": f"{alarm.value} % of the requests of {rule.minutes} min failed",
        "p95": f"95 of 100 requests of {rule.minutes} min took up to {alarm.value} ms",
        "stuck_runs": f"{alarm.value} runs are stuck",
        "lag": f"the trace log of {alarm.subject} is {alarm.value} s behind",
    }[rule.metric]
    mark = "Test" if test else "Over" if alarm.ended_at else "Alarm"
    return f"{mark}: {what} (limit {rule.threshold})."


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
