"""Alert rules as a page."""

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.lib.logger import EnhancedCSVLogger
from app.routers.logs.alerts import webhooks
from app.services.logs.alerts import Alarm, AlertService
from app.services.logs.store_reader import StoreReader
from tests.routers.conftest import Visit
from tests.routers.logs.conftest import JAPANESE
from tests.support.turso import TursoServer

RULE = {"metric": "p95", "threshold": "800", "minutes": "5", "webhook": ""}


def alerts(app: FastAPI) -> AlertService:
    logger: EnhancedCSVLogger = app.state.logger
    logger.store.migrate()
    return AlertService(StoreReader(logger.store), app.state.box)


async def test_a_rule_is_added_shown_and_deleted(app: FastAPI, admin: AsyncClient) -> None:
    await alerts(app).rules()
    hook = "https://hooks.example.com/services/T0/secret-part"
    assert (await admin.get("/logs/alerts")).status_code == 200

    wide = {"threshold": "８００", "minutes": "５"}  # as a Japanese keyboard has it
    added = await admin.post("/logs/alerts", data=RULE | wide | {"webhook": hook})
    page = await admin.get("/logs/alerts")

    assert added.headers["location"] == "/logs/alerts"
    assert "above 800 ms" in page.text
    assert "in 5 minutes" in page.text
    assert "tells hooks.example.com/…" in page.text
    assert "secret-part" not in page.text

    [rule] = await alerts(app).rules()
    await admin.post(f"/logs/alerts/{rule.id}/delete")
    assert await alerts(app).rules() == []
    assert (await admin.post(f"/logs/alerts/{rule.id}/delete")).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"threshold": "many"}, "Please enter a whole number."),
        ({"threshold": "99999999"}, "This is out of range."),
        ({"minutes": "0"}, "This is out of range."),
        ({"metric": "weather"}, "This is not valid."),
        ({"webhook": "javascript:alert(1)"}, "Please enter an address that begins with https://"),
        ({"webhook": "https://"}, "Please enter an address that begins with https://"),
    ],
)
async def test_a_wrong_field_is_told_beside_it(
    wrong: dict[str, str], sentence: str, app: FastAPI, admin: AsyncClient
) -> None:
    page = await admin.post("/logs/alerts", data=RULE | wrong)

    assert page.status_code == 422
    assert sentence in page.text
    assert await alerts(app).rules() == []


async def test_the_test_button_says_what_the_webhook_answered(
    app: FastAPI, admin: AsyncClient
) -> None:
    sent: list[str] = []

    async def tell(alarm: Alarm, *, test: bool = False) -> str:
        sent.append(f"{alarm.rule.webhook} {test}")
        return "ok" if len(sent) == 1 else "HTTP 404"

    app.dependency_overrides[webhooks] = lambda: tell
    await alerts(app).add("lag", 60, 1, "https://hooks.example.com/x")
    [rule] = await alerts(app).rules()

    await admin.post(f"/logs/alerts/{rule.id}/test")
    assert "The webhook has taken the test message." in (await admin.get("/logs/alerts")).text
    await admin.post(f"/logs/alerts/{rule.id}/test")
    assert "did not take the test message: HTTP 404" in (await admin.get("/logs/alerts")).text
    assert sent == ["https://hooks.example.com/x True"] * 2


async def test_alarms_are_shown_in_both_languages(app: FastAPI, admin: AsyncClient) -> None:
    service = alerts(app)
    await service.add("error_rate", 20, 5, "")
    [rule] = await service.rules()
    assert await service.begin(rule, "<i>host</i>", 33, "claim")

    english = await admin.get("/logs/alerts")
    japanese = await admin.get("/logs/alerts", headers=JAPANESE)

    assert "33 %" in english.text
    assert "Goes on" in english.text
    assert "&lt;i&gt;host&lt;/i&gt;" in english.text
    assert "Goes on" not in japanese.text


@pytest.mark.parametrize("store_settings", ["sqld"], indirect=True)
async def test_without_the_log_database_it_is_not_said_that_there_is_no_rule(
    admin: AsyncClient, sqld: TursoServer
) -> None:
    sqld.kill()

    page = await admin.get("/logs/alerts")

    assert page.status_code == 503
    assert "The log database is not answering." in page.text
    assert "There is no rule yet." not in page.text
    assert "No alarm so far." not in page.text


async def test_only_administrators_see_alerts(visit: Visit, client: AsyncClient) -> None:
    assert (await client.get("/logs/alerts")).status_code == 303
    assert (await (await visit("Hana")).get("/logs/alerts")).status_code == 403
