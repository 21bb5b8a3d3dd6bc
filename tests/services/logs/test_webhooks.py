"""Webhooks of alerts: what is sent, and which addresses are never called."""

import httpx
import pytest

from app.config import Settings
from app.lib.utils import utc_now
from app.services.logs.alerts import Alarm, AlertRule
from app.services.logs.webhooks import WebhookRules, Webhooks

HOOK = "https://hooks.example.com/abc"
PUBLIC, DEVELOPMENT = (
    WebhookRules(local=False, private=False),
    WebhookRules(local=True, private=True),
)


def alarm(url: str = HOOK) -> Alarm:
    rule = AlertRule(1, "error_rate", 20, 5, url)
    return Alarm(1, rule, "", 33, utc_now(), None, "")


class Net:
    """A network in which each host has the addresses given, and answers with `statuses`."""

    def __init__(self, *addresses: str, statuses: tuple[int, ...] = (204,)) -> None:
        self.addresses = list(addresses or ("93.184.216.34",))
        self.asked: list[httpx.Request] = []
        self._statuses = iter(statuses)

    def webhooks(self, rules: WebhookRules = PUBLIC, origin: str = "") -> Webhooks:
        return Webhooks(origin, rules, httpx.MockTransport(self._answer), self._resolve)

    async def _resolve(self, host: str, _port: int) -> list[str]:
        if host == "nowhere.example.com":
            raise OSError
        return self.addresses

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return httpx.Response(next(self._statuses, 404), headers={"Location": "http://10.0.0.1/"})


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited between tries, without waiting."""
    seconds: list[float] = []

    async def pause(length: float) -> None:
        seconds.append(length)

    monkeypatch.setattr("app.services.logs.webhooks.asyncio.sleep", pause)
    return seconds


async def test_an_alarm_is_posted_as_json_that_chats_understand() -> None:
    net = Net()
    assert await net.webhooks(origin="https://app.example.com")(alarm()) == "ok"

    [request] = net.asked
    text = b"Alarm: 33 % of the requests of 5 min failed (limit 20)."
    assert request.content.count(text) == 2  # as `text` and as `content`
    assert b"https://app.example.com/logs/alerts" in request.content


async def test_the_address_that_was_looked_at_is_the_one_that_is_called() -> None:
    net = Net()
    await net.webhooks()(alarm("https://hooks.example.com:8443/abc?d=1"))

    [request] = net.asked
    assert str(request.url) == "https://93.184.216.34:8443/abc?d=1"
    assert request.headers["Host"] == "hooks.example.com:8443"
    assert request.extensions["sni_hostname"] == "hooks.example.com"


async def test_what_fails_is_tried_again_and_told(pauses: list[float]) -> None:
    assert await Net(statuses=(500, 503, 200)).webhooks()(alarm()) == "ok"
    assert await Net(statuses=(404, 404, 404)).webhooks()(alarm()) == "HTTP 404"
    assert pauses == [0, 1, 2, 0, 1, 2]
    assert await Net().webhooks()(alarm("https://nowhere.example.com/")) == "no such host"


async def test_a_redirect_is_not_followed() -> None:
    net = Net(statuses=(302, 302, 302))
    assert await net.webhooks()(alarm()) == "HTTP 302"
    assert {request.url.host for request in net.asked} == {"93.184.216.34"}


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "169.254.169.254",
        "::1",
        "fd00::1",
        "::ffff:10.0.0.1",
        "100.64.0.1",
        "0.0.0.0",
        "fe80::1%eth0",
        "224.0.0.1",
    ],
)
async def test_in_production_no_private_address_is_called(address: str) -> None:
    net = Net(address)
    assert await net.webhooks()(alarm()) == "a private address"
    assert net.asked == []


async def test_a_setting_allows_private_addresses_and_https_stays_needed() -> None:
    net = Net("10.1.2.3")
    rules = WebhookRules.of(Settings(environment="production", alert_private_webhooks=True))
    assert await net.webhooks(rules)(alarm()) == "ok"
    assert await net.webhooks(rules)(alarm("http://10.1.2.3/")) == "not an https:// address"
    assert len(net.asked) == 1


@pytest.mark.parametrize(
    ("url", "in_public", "in_development"),
    [
        (HOOK, True, True),
        ("http://hooks.example.com/abc", False, False),
        ("http://127.0.0.1:9000/", False, True),
        ("http://localhost/", False, True),
        ("http://[::1]/", False, True),
        ("http://localhost.example.com/", False, False),
        ("https://user:password@hooks.example.com/", False, False),
        ("https://", False, False),
        ("https://hooks.example.com:0/", False, False),
        ("https://[", False, False),
        ("javascript:alert(1)", False, False),
        ("https://hooks.example.com/\n", False, False),
    ],
)
def test_only_https_is_taken_and_http_to_this_machine_in_development(
    url: str, in_public: bool, in_development: bool
) -> None:
    assert (PUBLIC.takes(url), DEVELOPMENT.takes(url)) == (in_public, in_development)


def test_development_is_what_the_settings_say() -> None:
    assert WebhookRules.of(Settings()) == DEVELOPMENT
    assert WebhookRules.of(Settings(environment="production")) == PUBLIC
