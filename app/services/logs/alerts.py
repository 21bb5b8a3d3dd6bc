"""Alert rules, and the alarms that they raised: one for each thing that was out of bounds.

Both live in the log's store, so any number of instances share them. Of several that see the same
thing, the one whose claim is in the alarm's row is the one that tells it. Addresses of webhooks
are secrets, and encrypted there.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, cast

from app.lib.secret_box import SecretBox
from app.lib.tracelog.store.sql import Statement
from app.lib.tracelog.store.store import Cell, RowRejected, StoreSchemaMissing
from app.services.errors import NotFound
from app.services.logs.log_text import visible
from app.services.logs.store_reader import Ask, Found, StoreReader
from app.services.logs.sums import integer

Metric = Literal["error_rate", "p95", "stuck_runs", "lag"]
METRICS: Final[tuple[Metric, ...]] = ("error_rate", "p95", "stuck_runs", "lag")

_PURPOSE: Final = "webhook of an alert"

MOST_RULES: Final = 50
_SHOWN: Final = 50
_NOW: Final = "STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW')"
_RULES: Final = "SELECT * FROM tracelog_alert_rules ORDER BY id"
_ALARMS: Final = "SELECT * FROM tracelog_alarms"


@dataclass(frozen=True, slots=True)
class AlertRule:
    """Raises an alarm while its metric is above `threshold`.

    That is in percent of the requests (`error_rate`), milliseconds (`p95`), runs (`stuck_runs`) or
    seconds (`lag`); the first two look at the last `minutes`. `webhook` is empty or a URL; it
    `is_lost` where it was encrypted under another secret key.
    """

    id: int
    metric: Metric
    threshold: int
    minutes: int
    webhook: str
    is_lost: bool = False


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that was out of bounds, or still is. `subject` is a host where it is one's own.

    `told` is empty before the webhook was called, then `ok` or what went wrong.
    """

    id: int
    rule: AlertRule
    subject: str
    value: int
    began_at: datetime
    ended_at: datetime | None
    told: str


class AlertService:
    """Rules and alarms. Its calls raise `StoreError`."""

    def __init__(self, reader: StoreReader, box: SecretBox) -> None:
        self._reader = reader
        self._box = box

    async def rules(self) -> list[AlertRule]:
        """All rules, oldest first."""
        rows = await self._reader.run(lambda ask: _found(ask, _RULES))
        await self._seal_old(rows)
        return [self._rule(row) for row in rows]

    async def rule(self, rule_id: int) -> AlertRule:
        """Raises `NotFound`."""
        for rule in await self.rules():
            if rule.id == rule_id:
                return rule
        raise NotFound

    async def add(self, metric: Metric, threshold: int, minutes: int, webhook: str) -> None:
        """A new rule; beyond `MOST_RULES` nothing happens."""
        sql = (
            "INSERT INTO tracelog_alert_rules (metric, threshold, minutes, webhook)"
            " SELECT ?, ?, ?, ? WHERE (SELECT count(*) FROM tracelog_alert_rules) < ?"
        )
        sealed = self._sealed(webhook)
        await self._reader.write(Statement(sql, (metric, threshold, minutes, sealed, MOST_RULES)))

    async def delete(self, rule_id: int) -> None:
        """Take a rule away; its alarms stay in the list, and end."""
        end = f"UPDATE tracelog_alarms SET ended_at = {_NOW}"  # noqa: S608 # nothing typed in it
        end += " WHERE rule_id = ? AND ended_at IS NULL"
        await self._reader.write(
            Statement("DELETE FROM tracelog_alert_rules WHERE id = ?", (rule_id,)),
            Statement(end, (rule_id,)),
        )

    async def alarms(self) -> list[Alarm]:
        """Those that go on, then the last ones that ended."""
        sql = f"{_ALARMS} ORDER BY ended_at IS NOT NULL, id DESC LIMIT {_SHOWN}"
        return [self._alarm(row) for row in await self._reader.run(lambda ask: _found(ask, sql))]

    async def open_alarms(self) -> list[Alarm]:
        """Those that go on."""
        sql = f"{_ALARMS} WHERE ended_at IS NULL ORDER BY id"
        return [self._alarm(row) for row in await self._reader.run(lambda ask: _found(ask, sql))]

    async def begin(self, rule: AlertRule, subject: str, value: int, claim: str) -> Alarm | None:
        """Note that an alarm begins; it comes back if it is ours to tell.

        A second one for the same rule and subject cannot begin before the first has ended.
        """
        sql = (
            "INSERT INTO tracelog_alarms (rule_id, metric, threshold, minutes, webhook, subject,"
            " value, claim) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        )
        sealed = self._sealed(rule.webhook)
        what = (rule.id, rule.metric, rule.threshold, rule.minutes, sealed, subject, value)
        try:
            await self._reader.write(Statement(sql, (*what, claim)))
        except RowRejected:
            return None
        return await self._claimed("claim", claim)

    async def end(self, alarm: Alarm, claim: str) -> Alarm | None:
        """Note that an alarm is over; it comes back if it is ours to tell."""
        sql = f"UPDATE tracelog_alarms SET ended_at = {_NOW}, end_claim = ?"  # noqa: S608
        await self._reader.write(
            Statement(f"{sql} WHERE id = ? AND ended_at IS NULL", (claim, alarm.id))
        )
        return await self._claimed("end_claim", claim)

    async def note_told(self, alarm: Alarm, told: str) -> None:
        """Note what came of calling the webhook."""
        sql = "UPDATE tracelog_alarms SET told = ? WHERE id = ?"
        await self._reader.write(Statement(sql, (told[:200], alarm.id)))

    async def _claimed(self, column: str, claim: str) -> Alarm | None:
        sql = f"{_ALARMS} WHERE {column} = ?"
        rows = await self._reader.run(lambda ask: ask(Statement(sql, (claim,))))
        return self._alarm(rows[0]) if rows else None

    # --- webhooks ----------------------------------------------------------------------------

    def _sealed(self, webhook: str) -> str:
        return self._box.seal(_PURPOSE, webhook) if webhook else ""

    async def _seal_old(self, rows: Found) -> None:
        """Encrypt what an earlier version wrote as it was."""
        plain = {text for row in rows if _is_plain(text := str(row["webhook"]))}
        for text in plain:
            sealed = self._sealed(text)
            await self._reader.write(
                *(
                    Statement(f"UPDATE {table} SET webhook = ? WHERE webhook = ?", (sealed, text))  # noqa: S608 # names of tables
                    for table in ("tracelog_alert_rules", "tracelog_alarms")
                )
            )

    def _rule(self, row: dict[str, Cell], key: str = "id") -> AlertRule:
        metric, stored = cast(Metric, row["metric"]), str(row["webhook"])
        webhook = stored if not stored or _is_plain(stored) else self._box.open(_PURPOSE, stored)
        return AlertRule(
            integer(row, key),
            metric,
            integer(row, "threshold"),
            integer(row, "minutes"),
            webhook or "",
            is_lost=webhook is None,
        )

    def _alarm(self, row: dict[str, Cell]) -> Alarm:
        return Alarm(
            integer(row, "id"),
            self._rule(row, "rule_id"),
            visible(str(row["subject"])),
            integer(row, "value"),
            _moment(row["began_at"]),
            _moment(row["ended_at"]) if row["ended_at"] is not None else None,
            visible(str(row["told"])),
        )


def _found(ask: Ask, sql: str) -> Found:
    try:
        return ask(Statement(sql))
    except StoreSchemaMissing:
        return []  # the first delivery makes the tables


def _is_plain(webhook: str) -> bool:
    return webhook.startswith(("https://", "http://"))


def _moment(value: Cell) -> datetime:
    return datetime.fromisoformat(str(value)).replace(tzinfo=UTC)
