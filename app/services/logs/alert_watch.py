"""Looks after the alert rules: measures, raises alarms and ends them, and tells webhooks."""

import asyncio
import contextlib
import logging
import secrets
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from anyio import to_thread

from app.config import Settings
from app.lib.logger import EnhancedCSVLogger, TraceLogger
from app.lib.secret_box import SecretBox
from app.lib.tracelog.rollup.histogram import percentile
from app.lib.tracelog.rollup.tables import REQUEST_SUMS
from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.store import StoreError
from app.lib.utils import utc_now
from app.services.logs.alerts import Alarm, AlertRule, AlertService
from app.services.logs.open_steps import open_steps
from app.services.logs.store_reader import Ask, StoreReader
from app.services.logs.sums import BUCKET_SUMS, MINUTE, buckets, integer
from app.services.logs.webhooks import WebhookRules, Webhooks

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 30.0
LEAST_REQUESTS: Final = 20
"""Of fewer requests no rate and no percentile is taken: one of two is not 50 %."""

CALM_LOOKS: Final = 4
"""An alarm is over when so many looks in a row have found nothing: what goes up and down is one."""

Tell = Callable[[Alarm], Awaitable[str]]
"""Calls an alarm's webhook: `ok`, or what went wrong. Never raises."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """This host's part: whether this process delivers its log, and how far behind that is."""

    leads: bool
    lag_seconds: float


class AlertWatch:
    """Looks at all rules every `LOOK_SECONDS`, in the process that delivers the log of its host.

    While the store is away only the lag can be measured; its alarm is then told from memory, and
    once.
    """

    def __init__(
        self,
        reader: StoreReader,
        delivery: Callable[[], Awaitable[Delivery]],
        tell: Tell,
        box: SecretBox,
        *,
        host: str = "",
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._reader = reader
        self._alerts = AlertService(reader, box)
        self._delivery = delivery
        self._tell = tell
        self._host = host or socket.gethostname()
        self._clock = clock
        self._rules: list[AlertRule] = []
        self._untold: dict[int, Alarm] = {}
        self._calm: dict[int, int] = {}

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            # Watching must go on whatever one look stumbled over.
            except Exception:
                log.exception("The alert rules could not be looked at.")

    async def look(self) -> None:
        """Measure once, and do what follows from it."""
        delivery = await self._delivery()
        if not delivery.leads:
            return
        try:
            self._rules = await self._alerts.rules()
            opened = {(a.rule.id, a.subject): a for a in await self._alerts.open_alarms()}
        except StoreError:
            await self._look_without_store(delivery)
            return
        for rule in self._rules:
            subject = self._host if rule.metric == "lag" else ""
            with contextlib.suppress(StoreError):
                value = await self._measure(rule, delivery)
                await self._decide(rule, subject, value, opened.get((rule.id, subject)))

    async def _decide(
        self, rule: AlertRule, subject: str, value: int | None, alarm: Alarm | None
    ) -> None:
        claim = secrets.token_hex(16)
        told_already = self._untold.pop(rule.id, None)
        if value is not None and value > rule.threshold:
            self._calm.pop(rule.id, None)
            if alarm is None:
                began = await self._alerts.begin(rule, subject, value, claim)
                if began is not None and told_already is not None:
                    await self._alerts.note_told(began, told_already.told)
                elif began is not None:
                    await self._tell_and_note(began)
        elif alarm is not None:
            self._calm[rule.id] = self._calm.get(rule.id, 0) + 1
            if self._calm[rule.id] < CALM_LOOKS:
                return
            ended = await self._alerts.end(alarm, claim)
            if ended is not None:
                await self._tell_and_note(ended)
        elif told_already is not None:
            await self._tell(replace(told_already, ended_at=self._clock()))

    async def _tell_and_note(self, alarm: Alarm) -> None:
        if alarm.rule.webhook:
            await self._alerts.note_told(alarm, await self._tell(alarm))

    async def _look_without_store(self, delivery: Delivery) -> None:
        lag = round(delivery.lag_seconds)
        for rule in self._rules:
            if rule.metric == "lag" and lag > rule.threshold and rule.id not in self._untold:
                alarm = Alarm(0, rule, self._host, lag, self._clock(), None, "")
                told = await self._tell(alarm) if rule.webhook else ""
                self._untold[rule.id] = replace(alarm, told=told)

    async def _measure(self, rule: AlertRule, delivery: Delivery) -> int | None:
        """The metric's value; None where there is too little to tell. Raises `StoreError`."""
        now = self._clock()
        if rule.metric == "lag":
            return round(delivery.lag_seconds)
        if rule.metric == "stuck_runs":
            return await self._reader.run(lambda ask: len(open_steps(ask, now).stuck))
        since = (int(now.timestamp()) // MINUTE - rule.minutes) * MINUTE
        return await self._reader.run(lambda ask: _of_requests(ask, rule, since))


def _of_requests(ask: Ask, rule: AlertRule, since: int) -> int | None:
    sql = (
        f"SELECT sum(n) AS n, sum(c5) AS c5, {BUCKET_SUMS} FROM {REQUEST_SUMS}"  # noqa: S608
        f" WHERE seconds = {MINUTE} AND start >= ? AND method = '' AND route = ''"
    )
    [row] = ask(Statement(sql, (since,)))
    requests = integer(row, "n")
    if requests < LEAST_REQUESTS:
        return None
    if rule.metric == "error_rate":
        return round(100 * integer(row, "c5") / requests)
    p95 = percentile(buckets(row), 0.95)
    return None if p95 is None else round(p95)


async def watch_alerts(settings: Settings, logger: TraceLogger, box: SecretBox) -> None:
    """Look after the rules as long as the app runs; without a store there are none."""
    if not isinstance(logger, EnhancedCSVLogger):
        return

    def delivery() -> Delivery:
        account = logger.status()
        return Delivery(account.leader, account.lag_seconds)

    watch = AlertWatch(
        StoreReader(logger.store),
        lambda: to_thread.run_sync(delivery),
        Webhooks(settings.public_origin, WebhookRules.of(settings)),
        box,
    )
    await watch.run()
