"""Alert rules over both stores: an alarm for each thing out of bounds, told once."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from app.lib.tracelog.store.sqlite_store import SQLiteStore
from app.lib.tracelog.store.store import Store, StoreUnavailable
from app.lib.tracelog.store.turso_store import TursoStore
from app.lib.utils import utc_now
from app.services.errors import NotFound
from app.services.logs import alert_watch
from app.services.logs.alert_watch import CALM_LOOKS, AlertWatch, Delivery, Webhooks
from app.services.logs.alerts import MOST_RULES, Alarm, AlertRule, AlertService
from app.services.logs.store_reader import StoreReader
from tests.services.log_book import LogBook
from tests.support.turso import TursoServer

HOOK = "https://hooks.example.com/abc"


@pytest.fixture(params=["sqlite", "sqld"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    store: Store
    if request.param == "sqlite":
        store = SQLiteStore(tmp_path / "trace.db")
    else:
        server: TursoServer = request.getfixturevalue("sqld")
        store = TursoStore(server.url, server.token)
    store.migrate()
    yield store
    store.close()


class Watcher:
    """An instance that watches. `told` is what it told webhooks: `alarm` or `over`, of what."""

    def __init__(self, store: Store, host: str = "one") -> None:
        self.told: list[tuple[str, str, int]] = []
        self.delivery = Delivery(leads=True, lag_seconds=0.0)
        self.outcome = "ok"
        self.watch = AlertWatch(StoreReader(store), self._delivery, self._tell, host=host)

    async def look(self, times: int = 1) -> None:
        for _ in range(times):
            await self.watch.look()

    async def _delivery(self) -> Delivery:
        return self.delivery

    async def _tell(self, alarm: Alarm) -> str:
        self.told.append(("over" if alarm.ended_at else "alarm", alarm.rule.metric, alarm.value))
        return self.outcome


def traffic(store: Store, *, failed: int, fine: int, duration: int = 10) -> None:
    """Requests of this minute."""
    book = LogBook(utc_now() - timedelta(seconds=1))
    for _ in range(failed):
        book.request(status=500, duration=duration)
    for _ in range(fine):
        book.request(duration=duration)
    book.deliver(store)


async def test_a_rate_above_its_limit_is_told_once_and_again_when_it_is_over(store: Store) -> None:
    alerts, watcher = AlertService(StoreReader(store)), Watcher(store)
    await alerts.add("error_rate", 20, 5, HOOK)
    traffic(store, failed=10, fine=20)

    await watcher.look(3)
    assert watcher.told == [("alarm", "error_rate", 33)]
    [alarm] = await alerts.alarms()
    assert (alarm.value, alarm.ended_at, alarm.told) == (33, None, "ok")

    traffic(store, failed=0, fine=300)
    await watcher.look(CALM_LOOKS - 1)
    assert len(watcher.told) == 1  # what goes up and down is one alarm
    await watcher.look()
    assert watcher.told[1:] == [("over", "error_rate", 33)]
    [alarm] = await alerts.alarms()
    assert alarm.ended_at is not None

    traffic(store, failed=300, fine=0)
    await watcher.look()
    assert len(watcher.told) == 3
    assert len(await alerts.open_alarms()) == 1


async def test_of_few_requests_no_rate_is_taken(store: Store) -> None:
    await AlertService(StoreReader(store)).add("error_rate", 20, 5, HOOK)
    watcher = Watcher(store)
    traffic(store, failed=alert_watch.LEAST_REQUESTS - 1, fine=0)
    await watcher.look()
    assert watcher.told == []


async def test_slow_requests_are_noticed(store: Store) -> None:
    await AlertService(StoreReader(store)).add("p95", 500, 5, HOOK)
    watcher = Watcher(store)
    traffic(store, failed=0, fine=30, duration=2000)
    await watcher.look()
    [(kind, metric, value)] = watcher.told
    assert (kind, metric) == ("alarm", "p95")
    assert 1400 < value < 2900  # the histogram's buckets are that wide


async def test_stuck_runs_are_noticed(store: Store) -> None:
    await AlertService(StoreReader(store)).add("stuck_runs", 0, 5, HOOK)
    book = LogBook(utc_now() - timedelta(minutes=30))
    book.step("Import", "Read", "START")
    book.deliver(store)
    watcher = Watcher(store)
    await watcher.look()
    assert watcher.told == [("alarm", "stuck_runs", 1)]


async def test_of_two_instances_one_tells(store: Store) -> None:
    await AlertService(StoreReader(store)).add("error_rate", 20, 5, HOOK)
    one, other = Watcher(store, "one"), Watcher(store, "other")
    traffic(store, failed=30, fine=0)
    for _ in range(2):
        await one.look()
        await other.look()
    traffic(store, failed=0, fine=3000)
    for _ in range(CALM_LOOKS):
        await one.look()
        await other.look()

    assert sorted(one.told + other.told) == [
        ("alarm", "error_rate", 100),
        ("over", "error_rate", 100),
    ]


async def test_the_lag_is_each_hosts_own(store: Store) -> None:
    await AlertService(StoreReader(store)).add("lag", 60, 1, HOOK)
    one, other = Watcher(store, "one"), Watcher(store, "other")
    for watcher in (one, other):
        watcher.delivery = Delivery(leads=True, lag_seconds=90.0)
        await watcher.look(2)

    assert one.told == other.told == [("alarm", "lag", 90)]
    alarms = await AlertService(StoreReader(store)).open_alarms()
    assert sorted(alarm.subject for alarm in alarms) == ["one", "other"]


async def test_a_process_that_does_not_deliver_does_not_watch(store: Store) -> None:
    await AlertService(StoreReader(store)).add("lag", 60, 1, HOOK)
    watcher = Watcher(store)
    watcher.delivery = Delivery(leads=False, lag_seconds=90.0)
    await watcher.look()
    assert watcher.told == []


async def test_while_the_store_is_away_its_delay_is_told_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    alerts, watcher = AlertService(StoreReader(store)), Watcher(store)
    await alerts.add("lag", 60, 1, HOOK)
    await watcher.look()  # it knows the rules now

    def away(*_args: object, **_more: object) -> None:
        raise StoreUnavailable("it did not answer in time.")

    watcher.delivery = Delivery(leads=True, lag_seconds=90.0)
    with monkeypatch.context() as patch:
        patch.setattr(store, "query", away)
        await watcher.look(3)
    assert watcher.told == [("alarm", "lag", 90)]

    await watcher.look()  # back, and still behind
    assert len(watcher.told) == 1
    assert [alarm.told for alarm in await alerts.open_alarms()] == ["ok"]
    watcher.delivery = Delivery(leads=True, lag_seconds=0.0)
    await watcher.look(CALM_LOOKS)
    assert watcher.told[1:] == [("over", "lag", 90)]


async def test_a_rule_that_is_taken_away_ends_what_it_raised(store: Store) -> None:
    alerts, watcher = AlertService(StoreReader(store)), Watcher(store)
    await alerts.add("error_rate", 20, 5, "")
    traffic(store, failed=30, fine=0)
    await watcher.look()
    [rule] = await alerts.rules()
    assert watcher.told == []  # without a webhook it is only shown
    assert len(await alerts.open_alarms()) == 1

    await alerts.delete(rule.id)

    assert await alerts.open_alarms() == []
    with pytest.raises(NotFound):
        await alerts.rule(rule.id)


async def test_there_are_not_more_rules_than_can_be_looked_at(store: Store) -> None:
    alerts = AlertService(StoreReader(store))
    for _ in range(MOST_RULES + 1):
        await alerts.add("lag", 60, 1, "")
    assert len(await alerts.rules()) == MOST_RULES


def alarm(url: str = HOOK) -> Alarm:
    rule = AlertRule(1, "error_rate", 20, 5, url)
    return Alarm(1, rule, "", 33, utc_now(), None, "")


class TestWebhooks:
    async def test_an_alarm_is_posted_as_json_that_chats_understand(self) -> None:
        asked: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request)
            return httpx.Response(204)

        tell = Webhooks("https://app.example.com", httpx.MockTransport(answer))
        assert await tell(alarm()) == "ok"

        [request] = asked
        text = b"Alarm: 33 % of the requests of 5 min failed (limit 20)."
        assert str(request.url) == HOOK
        assert request.content.count(text) == 2  # as `text` and as `content`
        assert b"https://app.example.com/logs/alerts" in request.content

    async def test_what_fails_is_tried_again_and_told(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pauses: list[float] = []

        async def no_pause(seconds: float) -> None:
            pauses.append(seconds)

        monkeypatch.setattr("app.services.logs.alert_watch.asyncio.sleep", no_pause)
        answers = iter([httpx.Response(500), httpx.Response(503), httpx.Response(200)])
        tell = Webhooks("", httpx.MockTransport(lambda _request: next(answers)))
        assert await tell(alarm()) == "ok"

        gone = Webhooks("", httpx.MockTransport(lambda _request: httpx.Response(404)))
        assert await gone(alarm()) == "HTTP 404"
        assert pauses == [0, 1, 2, 0, 1, 2]

    async def test_a_redirect_is_not_followed(self) -> None:
        asked: list[str] = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request.url.host)
            return httpx.Response(302, headers={"Location": "http://169.254.169.254/"})

        outcome = await Webhooks("", httpx.MockTransport(answer))(alarm())

        assert outcome == "HTTP 302"
        assert set(asked) == {"hooks.example.com"}
