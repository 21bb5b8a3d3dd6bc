"""Alert rules over both stores: an alarm for each thing out of bounds, told once."""

from datetime import timedelta

import pytest

from app.lib.secret_box import SecretBox
from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.store import Store, StoreUnavailable
from app.lib.utils import utc_now
from app.services.errors import NotFound
from app.services.logs import alert_watch
from app.services.logs.alert_watch import CALM_LOOKS, AlertWatch, Delivery
from app.services.logs.alerts import MOST_RULES, Alarm, AlertService
from app.services.logs.store_reader import StoreReader
from tests.services.log_book import LogBook

BOX = SecretBox("a key of these tests")
HOOK = "https://hooks.example.com/abc"


@pytest.fixture
def store(store: Store) -> Store:
    store.migrate()
    return store


def alert_service(store: Store) -> AlertService:
    return AlertService(StoreReader(store), BOX)


class Watcher:
    """An instance that watches. `told` is what it told webhooks: `alarm` or `over`, of what."""

    def __init__(self, store: Store, host: str = "one") -> None:
        self.told: list[tuple[str, str, int]] = []
        self.delivery = Delivery(leads=True, lag_seconds=0.0)
        self.outcome = "ok"
        self.watch = AlertWatch(StoreReader(store), self._delivery, self._tell, BOX, host=host)

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
    alerts, watcher = alert_service(store), Watcher(store)
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
    await alert_service(store).add("error_rate", 20, 5, HOOK)
    watcher = Watcher(store)
    traffic(store, failed=alert_watch.LEAST_REQUESTS - 1, fine=0)
    await watcher.look()
    assert watcher.told == []


async def test_slow_requests_are_noticed(store: Store) -> None:
    await alert_service(store).add("p95", 500, 5, HOOK)
    watcher = Watcher(store)
    traffic(store, failed=0, fine=30, duration=2000)
    await watcher.look()
    [(kind, metric, value)] = watcher.told
    assert (kind, metric) == ("alarm", "p95")
    assert 1400 < value < 2900  # the histogram's buckets are that wide


async def test_stuck_runs_are_noticed(store: Store) -> None:
    await alert_service(store).add("stuck_runs", 0, 5, HOOK)
    book = LogBook(utc_now() - timedelta(minutes=30))
    book.step("Import", "Read", "START")
    book.deliver(store)
    watcher = Watcher(store)
    await watcher.look()
    assert watcher.told == [("alarm", "stuck_runs", 1)]


async def test_of_two_instances_one_tells(store: Store) -> None:
    await alert_service(store).add("error_rate", 20, 5, HOOK)
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
    await alert_service(store).add("lag", 60, 1, HOOK)
    one, other = Watcher(store, "one"), Watcher(store, "other")
    for watcher in (one, other):
        watcher.delivery = Delivery(leads=True, lag_seconds=90.0)
        await watcher.look(2)

    assert one.told == other.told == [("alarm", "lag", 90)]
    alarms = await alert_service(store).open_alarms()
    assert sorted(alarm.subject for alarm in alarms) == ["one", "other"]


async def test_a_process_that_does_not_deliver_does_not_watch(store: Store) -> None:
    await alert_service(store).add("lag", 60, 1, HOOK)
    watcher = Watcher(store)
    watcher.delivery = Delivery(leads=False, lag_seconds=90.0)
    await watcher.look()
    assert watcher.told == []


async def test_while_the_store_is_away_its_delay_is_told_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    alerts, watcher = alert_service(store), Watcher(store)
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
    alerts, watcher = alert_service(store), Watcher(store)
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
    alerts = alert_service(store)
    for _ in range(MOST_RULES + 1):
        await alerts.add("lag", 60, 1, "")
    assert len(await alerts.rules()) == MOST_RULES


async def test_webhooks_are_encrypted_in_the_store_and_those_that_were_not_become_so(
    store: Store,
) -> None:
    alerts, watcher = alert_service(store), Watcher(store)
    await alerts.add("error_rate", 20, 5, HOOK)
    plain = (
        "INSERT INTO tracelog_alert_rules (metric, threshold, minutes, webhook)"
        " VALUES ('lag', 9, 1, ?)"
    )
    store.transact([Statement(plain, (f"{HOOK}/old",))])
    traffic(store, failed=30, fine=0)
    await watcher.look()

    assert [rule.webhook for rule in await alerts.rules()] == [HOOK, f"{HOOK}/old"]
    assert [alarm.rule.webhook for alarm in await alerts.alarms()] == [HOOK]
    for table in ("tracelog_alert_rules", "tracelog_alarms"):
        stored = store.query(f"SELECT webhook FROM {table}").rows
        assert stored
        assert "hooks.example.com" not in str(stored)

    other = AlertService(StoreReader(store), SecretBox("another key"))
    assert [(rule.webhook, rule.is_lost) for rule in await other.rules()] == [("", True)] * 2
