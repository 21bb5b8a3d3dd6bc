"""Alert rules, and the alarms that they raised."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Final, cast
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.responses import Response

from app.config import Settings
from app.dependencies import SettingsDep, get_box
from app.forms import Form, read_form
from app.lib.tracelog.store.store import StoreError
from app.lib.utils import half_width
from app.routers.logs.reading import RETRY, Problem, ReaderDep, problem_of, there
from app.routers.logs.router import router
from app.services.logs.alert_watch import LEAST_REQUESTS
from app.services.logs.alerts import METRICS, MOST_RULES, Alarm, AlertRule, AlertService, Metric
from app.services.logs.webhooks import WebhookRules, Webhooks
from app.templating import Template, Toast, language_of, redirect, render

PATH: Final = "/logs/alerts"
_EMPTY: Final = {"metric": "error_rate", "threshold": "", "minutes": "5", "webhook": ""}
_MOST: Final = {"threshold": 10_000_000, "minutes": 1440}


@dataclass(frozen=True, slots=True)
class AlertsPage(Template):
    """Rules and alarms, or the problem that the store does not answer."""

    template: ClassVar[str] = "logs/alerts.html"
    form: Form
    rules: list[AlertRule]
    alarms: list[Alarm]
    hosts: dict[int, str]
    problem: Problem | None = None
    least_requests: int = LEAST_REQUESTS


async def webhooks(settings: SettingsDep) -> Webhooks:
    return Webhooks(settings.public_origin, WebhookRules.of(settings))


@router.get("/alerts")
async def show_alerts(request: Request, reader: ReaderDep) -> Response:
    """Rules, and what they raised."""
    return await _page(request, reader, Form(_EMPTY))


@router.post("/alerts")
async def add_rule(request: Request, reader: ReaderDep) -> Response:
    """A new rule."""
    _ = language_of(request).gettext
    sent = await read_form(request)
    values = {name: sent.get(name, default).strip() for name, default in _EMPTY.items()}
    values |= {name: half_width(values[name]) for name in _MOST}
    errors = _problems(request, values)
    if errors:
        return await _page(request, reader, Form(values, errors), 422)
    try:
        alerts = AlertService(there(reader), await get_box(request))
        if len(await alerts.rules()) >= MOST_RULES:
            full = _("There are %(count)s rules already; take one away first.")
            form = Form(values, {"": full % {"count": MOST_RULES}})
            return await _page(request, reader, form, 422)
        await alerts.add(
            cast(Metric, values["metric"]),
            int(values["threshold"]),
            int(values["minutes"]),
            values["webhook"],
        )
    except StoreError as error:
        return await _page(request, reader, Form(values), 503, problem_of(request, error))
    return redirect(request, PATH, Toast(_("The rule is on.")))


@router.post("/alerts/{rule_id}/delete")
async def delete_rule(request: Request, reader: ReaderDep, rule_id: int) -> Response:
    """Take a rule away."""
    _ = language_of(request).gettext
    try:
        alerts = AlertService(there(reader), await get_box(request))
        await alerts.rule(rule_id)
        await alerts.delete(rule_id)
    except StoreError as error:
        return redirect(request, PATH, Toast(problem_of(request, error).title, "error"))
    return redirect(request, PATH, Toast(_("The rule is gone.")))


@router.post("/alerts/{rule_id}/test")
async def test_rule(
    request: Request,
    reader: ReaderDep,
    tell: Annotated[Webhooks, Depends(webhooks)],
    rule_id: int,
) -> Response:
    """Call a rule's webhook as an alarm would."""
    _ = language_of(request).gettext
    try:
        rule = await AlertService(there(reader), await get_box(request)).rule(rule_id)
    except StoreError as error:
        return redirect(request, PATH, Toast(problem_of(request, error).title, "error"))
    alarm = Alarm(0, rule, "test", rule.threshold, datetime.now(UTC), None, "")
    outcome = await tell(alarm, test=True) if rule.webhook else _("This rule has no webhook.")
    if outcome == "ok":
        return redirect(request, PATH, Toast(_("The webhook has taken the test message.")))
    failed = _("The webhook did not take the test message: %(outcome)s") % {"outcome": outcome}
    return redirect(request, PATH, Toast(failed, "error"))


async def _page(
    request: Request,
    reader: ReaderDep,
    form: Form,
    status: int = 200,
    problem: Problem | None = None,
) -> Response:
    rules: list[AlertRule] = []
    alarms: list[Alarm] = []
    try:
        rules, alarms = (
            await AlertService(there(reader), await get_box(request)).rules(),
            await AlertService(there(reader), await get_box(request)).alarms(),
        )
    except StoreError as error:
        problem = problem or problem_of(request, error)
    hosts = {rule.id: urlsplit(rule.webhook).hostname or "" for rule in rules}
    page = AlertsPage(form, rules, alarms, hosts, problem)
    if problem is not None:
        return render(request, page, 503, headers=RETRY)
    return render(request, page, status)


def _problems(request: Request, values: dict[str, str]) -> dict[str, str]:
    _ = language_of(request).gettext
    found = {}
    if values["metric"] not in METRICS:
        found["metric"] = _("This is not valid.")
    for name, most in _MOST.items():
        text = values[name]
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            found[name] = _("Please enter a whole number.")
        elif not (name == "threshold" or int(text) >= 1) or int(text) > most:
            found[name] = _("This is out of range.")
    settings: Settings = request.app.state.settings
    if values["webhook"] and not WebhookRules.of(settings).takes(values["webhook"]):
        found["webhook"] = _("Please enter an address that begins with https://.")
    return found
