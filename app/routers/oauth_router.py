"""To another service and back: sign in with it, link it, prove with it who one is."""

from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel

from app.config_values import PROVIDERS, ProviderName
from app.cookies import OAUTH, delete_cookie, read_cookie, set_cookie
from app.dependencies import (
    BoxDep,
    CurrentLogin,
    CurrentUser,
    Events,
    Fresh,
    Limits,
    OAuthDep,
    SessionServiceDep,
    SettingsDep,
    client_block,
)
from app.models.user import User
from app.outbox import origin_of
from app.routers.browser_session import complete_sign_in, write_session
from app.routers.oauth_texts import sentence_of
from app.security import local_path, return_path
from app.services.errors import NotFound, OAuthFailed, OAuthReason, ProviderUnavailable
from app.services.oauth.flow import Flow, Purpose
from app.services.rate_limits import SIGN_IN_BY_IP
from app.templating import Toast, language_of, redirect

router = APIRouter(include_in_schema=False)


async def configured(provider: ProviderName, settings: SettingsDep) -> ProviderName:
    """A service that is set up; 404 for another."""
    if provider not in settings.providers:
        raise HTTPException(404)
    return provider


Provider = Annotated[ProviderName, Depends(configured)]
Next = Annotated[str, Query(alias="next")]
_SECONDS: Final = 600
"""How long somebody may take at the other service."""
_BOX: Final = "oauth flow"
_SAID: Final[dict[str, OAuthReason]] = {
    "access_denied": "denied",
    # What Supabase adds to it.
    "email_exists": "other",
    "identity_already_exists": "other",
    "provider_email_needs_verification": "unverified",
    "user_banned": "closed",
}


class Answer(BaseModel):
    """What the other service sent the browser back with."""

    code: str = ""
    state: str = ""
    error: str = ""
    error_code: str = ""
    """Supabase's."""

    @property
    def problem(self) -> OAuthReason | None:
        """Why there is no code."""
        if not self.error and not self.error_code:
            return None if self.code else "refused"
        return _SAID.get(self.error_code) or _SAID.get(self.error) or "away"


class Arrival:
    """What a browser that came back gets, for what it left for."""

    def __init__(
        self,
        request: Request,
        user: CurrentUser,
        login: CurrentLogin,
        oauth: OAuthDep,
        sessions: SessionServiceDep,
        events: Events,
    ) -> None:
        self.user = user
        self._request = request
        self._login = login
        self._oauth = oauth
        self._sessions = sessions
        self._events = events

    async def complete(self, flow: Flow, answer: Answer) -> Response:
        """Raises `OAuthFailed` or `ProviderUnavailable`."""
        if answer.problem:
            raise OAuthFailed(answer.problem)
        request, oauth = self._request, self._oauth
        if flow.purpose == "sign_in":
            proven = await oauth.sign_in(flow, answer.code)
            return await complete_sign_in(
                request, self._sessions, self._events, proven, flow.next, how=flow.provider
            )
        user, login = self.user, self._login
        if user is None or login is None or user.id != flow.user_id:
            raise OAuthFailed("expired")
        if flow.purpose == "link":
            await oauth.link(user, flow, answer.code)
            linked = language_of(request).gettext("You can sign in with %(provider)s from now on.")
            return redirect(
                request, flow.next, Toast(linked % {"provider": PROVIDERS[flow.provider]})
            )
        await oauth.verify(user, flow, answer.code)
        response = redirect(request, flow.next)
        write_session(request, response, await self._sessions.renew(login))
        return response


@router.get("/oauth/{provider}")
async def to_sign_in(
    request: Request,
    provider: Provider,
    settings: SettingsDep,
    oauth: OAuthDep,
    limits: Limits,
    next_: Next = "",
) -> Response:
    """Off to the other service. A link, no form: forms may not lead to other sites."""
    await limits.hit(SIGN_IN_BY_IP, client_block(request))
    flow = _begin(request, provider, "sign_in", local_path(next_, ""))
    return _leave(request, settings, flow, await oauth.begin(flow))


@router.get("/oauth/{provider}/link")
async def to_link(
    request: Request,
    provider: Provider,
    user: CurrentUser,
    login: CurrentLogin,
    settings: SettingsDep,
    oauth: OAuthDep,
    sessions: SessionServiceDep,
    limits: Limits,
) -> Response:
    """Off to add one more way to sign in."""
    _refuse_strangers(request)
    # To the page, not back to here: what follows the form of a password may not lead elsewhere.
    if user is None:
        return redirect(request, "/sign-in?next=/account")
    if login is None or not sessions.is_fresh(login):
        return redirect(request, "/account/verify?next=/account")
    await limits.hit(SIGN_IN_BY_IP, client_block(request))
    flow = _begin(request, provider, "link", "/account", user)
    try:
        url = await oauth.begin(flow, user)
    except OAuthFailed as failed:
        return _told(request, flow, failed.reason)
    return _leave(request, settings, flow, url)


@router.get("/oauth/{provider}/verify")
async def to_verify(
    request: Request,
    provider: Provider,
    user: CurrentUser,
    settings: SettingsDep,
    oauth: OAuthDep,
    limits: Limits,
    next_: Next = "",
) -> Response:
    """Off to prove who one is, instead of by the password."""
    _refuse_strangers(request)
    if user is None:
        return redirect(request, "/sign-in?next=/account")
    await limits.hit(SIGN_IN_BY_IP, client_block(request))
    after = local_path(next_, "/account")
    flow = _begin(request, provider, "verify", after, user)
    return _leave(request, settings, flow, await oauth.begin(flow))


@router.get("/oauth/{provider}/callback")
async def callback(
    request: Request,
    provider: Provider,
    answer: Annotated[Answer, Query()],
    settings: SettingsDep,
    box: BoxDep,
    events: Events,
    limits: Limits,
    arrival: Annotated[Arrival, Depends()],
) -> Response:
    """Back from the other service, with a code or without."""
    await limits.hit(SIGN_IN_BY_IP, client_block(request))
    sealed = box.open(_BOX, read_cookie(request, OAUTH), max_age=_SECONDS)
    flow = Flow.load(sealed) if sealed else None
    if flow is None or flow.provider != provider or not flow.is_answered_by(answer.state):
        flow = _begin(request, provider, "sign_in", "")
        response = await _failed(request, events, flow, "expired", None)
    else:
        try:
            response = await arrival.complete(flow, answer)
        except OAuthFailed as failed:
            response = await _failed(request, events, flow, failed.reason, arrival.user)
        except ProviderUnavailable:
            response = await _failed(request, events, flow, "away", arrival.user)
    delete_cookie(response, settings, OAUTH)
    return response


@router.post("/account/providers/{provider}/unlink")
async def unlink(
    request: Request, provider: ProviderName, user: Fresh, oauth: OAuthDep
) -> Response:
    """From now on this account is not one to sign in with."""
    _ = language_of(request).gettext
    title = {"provider": PROVIDERS[provider]}
    try:
        await oauth.unlink(user, provider)
    except NotFound:
        raise HTTPException(404) from None
    except OAuthFailed as failed:
        said = sentence_of(request, failed.reason, provider)
        return redirect(request, "/account", Toast(said, "error"))
    done = _("%(provider)s is no way to sign in any more.") % title
    return redirect(request, "/account", Toast(done, "info"))


def _begin(
    request: Request,
    provider: ProviderName,
    purpose: Purpose,
    next_: str,
    user: User | None = None,
) -> Flow:
    back = f"{origin_of(request)}/oauth/{provider}/callback"
    return Flow.begin(provider, purpose, back, next_=next_, user_id=user.id if user else 0)


def _leave(request: Request, settings: SettingsDep, flow: Flow, url: str) -> Response:
    response = RedirectResponse(url, 303)
    sealed = request.app.state.box.seal(_BOX, flow.dump())
    set_cookie(response, settings, OAUTH, sealed, max_age=_SECONDS)
    return response


def _refuse_strangers(request: Request) -> None:
    """Only a link of this site begins these: another's would link an account of its own."""
    site = request.headers.get("sec-fetch-site")
    if (site != "same-origin") if site else not return_path(request, ""):
        raise HTTPException(403)


async def _failed(
    request: Request, events: Events, flow: Flow, reason: OAuthReason, user: User | None
) -> Response:
    mine = user.id if user and flow.purpose != "sign_in" else None
    detail = f"{flow.provider}: {reason}"
    await events.record("sign_in_failed", mine or 0, actor_id=mine, detail=detail)
    return _told(request, flow, reason)


def _told(request: Request, flow: Flow, reason: OAuthReason) -> Response:
    """Back to where it began, which says why it did not work."""
    if flow.purpose == "sign_in":
        query = {"problem": reason, "provider": flow.provider, "next": flow.next}
        return redirect(request, f"/sign-in?{urlencode(query)}")
    return redirect(
        request, "/account", Toast(sentence_of(request, reason, flow.provider), "error")
    )
