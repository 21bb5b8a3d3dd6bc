"""Sign in, with one factor or two, and sign out."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import ValidationError

from app.cookies import SESSION, delete_cookie, read_cookie
from app.dependencies import (
    Accounts,
    CurrentLogin,
    CurrentUser,
    Events,
    Limits,
    OAuthDep,
    SecondFactorDep,
    SessionServiceDep,
    SettingsDep,
    SignedIn,
    client_block,
)
from app.forms import Form, read_form
from app.models.user import User
from app.routers.account_pages import SignInCodePage, SignInPage, VerifyPage
from app.routers.browser_session import (
    AFTER_SIGN_IN,
    complete_sign_in,
    drop_pending,
    read_pending,
    renew_session,
    start_session,
)
from app.routers.oauth_texts import problem_of
from app.schemas.account import SignIn, normalize_email
from app.security import local_path
from app.services.errors import (
    AccountDisabled,
    CodeInvalid,
    EmailNotConfirmed,
    InvalidCredentials,
)
from app.services.oauth.flow import OAuth
from app.services.rate_limits import CODE_BY_ACCOUNT, SIGN_IN_BY_ACCOUNT, SIGN_IN_BY_IP
from app.templating import Toast, language_of, redirect, render

router = APIRouter(include_in_schema=False)

Next = Annotated[str, Query(alias="next")]


@router.get("/sign-in")
async def sign_in_page(
    request: Request,
    user: CurrentUser,
    settings: SettingsDep,
    next_: Next = "",
    problem: str = "",
    provider: str = "",
) -> Response:
    """The form; who is signed in already goes on. `problem` is what was wrong at `provider`."""
    if user is not None:
        return redirect(request, local_path(next_, AFTER_SIGN_IN))
    errors = {"": said} if (said := problem_of(request, problem, provider)) else {}
    form = Form({"email": "", "password": ""}, errors)
    return render(request, SignInPage(form, next_, settings.providers))


@router.post("/sign-in")
async def sign_in(
    request: Request,
    settings: SettingsDep,
    accounts: Accounts,
    sessions: SessionServiceDep,
    events: Events,
    limits: Limits,
) -> Response:
    """Start a session and go on to where the user was heading."""
    _ = language_of(request).gettext
    sent = await read_form(request)
    await limits.hit(SIGN_IN_BY_IP, client_block(request))
    await limits.hit(SIGN_IN_BY_ACCOUNT, normalize_email(sent.get("email", "")))
    after = sent.get("next", "")
    try:
        proven = await accounts.sign_in(SignIn.model_validate(sent))
    except (ValidationError, InvalidCredentials):
        # An unknown address, a wrong password and a malformed one look the same.
        problem = _("The e-mail address or the password is not right.")
    except EmailNotConfirmed:
        problem = _(
            "This address is not confirmed yet. "
            "We have sent you the link once more; please open it."
        )
    except AccountDisabled:
        problem = _("This account is closed. Please ask the administrator.")
    else:
        return await complete_sign_in(request, sessions, events, proven, after, how="password")
    form = Form({"email": sent.get("email", ""), "password": ""}, {"": problem})
    return render(request, SignInPage(form, after, settings.providers), 422)


@router.get("/sign-in/code")
async def code_page(request: Request, sessions: SessionServiceDep) -> Response:
    """Asks for the second factor, after the first."""
    if await read_pending(request, "code", sessions) is None:
        return redirect(request, "/sign-in")
    return render(request, SignInCodePage(Form({"code": ""})))


@router.post("/sign-in/code")
async def check_code(
    request: Request,
    sessions: SessionServiceDep,
    factor: SecondFactorDep,
    events: Events,
    limits: Limits,
) -> Response:
    """Take a code of the authenticator app or a backup code, and start the session."""
    _ = language_of(request).gettext
    pending = await read_pending(request, "code", sessions)
    if pending is None:
        late = Toast(_("That took too long. Please sign in again."), "info")
        return redirect(request, "/sign-in", late)
    user, noted = pending
    await limits.hit(CODE_BY_ACCOUNT, str(user.id))
    code = (await read_form(request)).get("code", "")
    try:
        await factor.check(user, code)
    except CodeInvalid:
        form = Form({"code": ""}, {"code": _("This code is not right, or was used before.")})
        return render(request, SignInCodePage(form), 422)
    response = redirect(request, local_path(noted["next"], AFTER_SIGN_IN))
    await start_session(request, response, sessions, user, noted["tokens"])
    drop_pending(request, response)
    await events.record("signed_in", user.id, actor_id=user.id, detail=f"{noted['how']}, code")
    return response


@router.post("/sign-out")
async def sign_out(
    request: Request, settings: SettingsDep, sessions: SessionServiceDep, events: Events
) -> Response:
    """End this browser's session; harmless without one."""
    if token := read_cookie(request, SESSION):
        user_id = await sessions.end(token)
        if user_id is not None:
            await events.record("signed_out", user_id, actor_id=user_id)
    _ = language_of(request).gettext
    response = redirect(request, "/", Toast(_("You are signed out."), "info"))
    delete_cookie(response, settings, SESSION)
    return response


@router.get("/account/verify")
async def verify_page(
    request: Request, user: SignedIn, settings: SettingsDep, oauth: OAuthDep, next_: Next = ""
) -> Response:
    """Asks once more who somebody is, before something sensitive."""
    form = Form({"password": ""})
    return render(request, await _verify_page(form, next_, user, settings, oauth))


@router.post("/account/verify")
async def verify(
    request: Request,
    user: SignedIn,
    login: CurrentLogin,
    settings: SettingsDep,
    accounts: Accounts,
    oauth: OAuthDep,
    sessions: SessionServiceDep,
    limits: Limits,
) -> Response:
    """With the password the session counts as fresh for a while."""
    sent = await read_form(request)
    await limits.hit(SIGN_IN_BY_ACCOUNT, user.email)
    after = sent.get("next", "")
    try:
        tokens = await accounts.verify_password(user, sent.get("password", "")[:128])
    except InvalidCredentials:
        wrong = {"password": language_of(request).gettext("This is not your password.")}
        page = await _verify_page(Form({"password": ""}, wrong), after, user, settings, oauth)
        return render(request, page, 422)
    response = redirect(request, local_path(after, "/account"))
    if login is not None:
        await renew_session(request, response, sessions, login, tokens)
    return response


async def _verify_page(
    form: Form, next_: str, user: User, settings: SettingsDep, oauth: OAuth
) -> VerifyPage:
    linked = {each.provider for each in await oauth.linked(user)}
    providers = [name for name in settings.providers if name in linked]
    return VerifyPage(form, next_, oauth.has_password(user), providers)
