"""One's own account: password, address, where one is signed in, and the end of it."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response
from pydantic import ValidationError

from app.config_values import PROVIDERS
from app.cookies import SESSION, delete_cookie, read_cookie
from app.dependencies import (
    Accounts,
    CurrentLogin,
    Events,
    Fresh,
    Limits,
    OAuthDep,
    SessionServiceDep,
    SettingsDep,
    SignedIn,
)
from app.forms import Form, problems, read_form, sentence
from app.routers.account_pages import (
    EMAIL_FORM,
    PASSWORD_FORM,
    AccountPage,
    DeletePage,
    SessionsPage,
)
from app.routers.browser_session import renew_session
from app.schemas.account import Address, ChangePassword
from app.schemas.numbers import RowId
from app.services.errors import (
    AddressRefused,
    InvalidCredentials,
    LastAdmin,
    PasswordIsEmail,
    PasswordRefused,
)
from app.services.rate_limits import MAIL_BY_ACCOUNT, SIGN_IN_BY_ACCOUNT
from app.templating import Toast, language_of, redirect, render

router = APIRouter(prefix="/account", include_in_schema=False)


async def account_page(
    user: SignedIn, settings: SettingsDep, accounts: Accounts, oauth: OAuthDep
) -> AccountPage:
    """The page with empty forms."""
    found = {each.provider: each.created_at for each in await oauth.linked(user)}
    linked = {name: found.get(name) for name in PROVIDERS if name in {*settings.providers, *found}}
    has_password = oauth.has_password(user)
    return AccountPage(PASSWORD_FORM, EMAIL_FORM, accounts.sends_mail, has_password, linked)


Page = Annotated[AccountPage, Depends(account_page)]


@router.get("")
@router.get("/password")
@router.get("/email")
async def account(request: Request, page: Page) -> Response:
    """Who one is here, and the forms for a new password and a new address."""
    return render(request, page)


@router.post("/password")
async def change_password(
    request: Request,
    user: SignedIn,
    login: CurrentLogin,
    accounts: Accounts,
    sessions: SessionServiceDep,
    limits: Limits,
    page: Page,
) -> Response:
    """Set a new password and end all other sessions."""
    _ = language_of(request).gettext
    await limits.hit(SIGN_IN_BY_ACCOUNT, user.email)
    try:
        data = ChangePassword.model_validate(await read_form(request))
        tokens = await accounts.change_password(user.id, data)
    except ValidationError as error:
        wrong = problems(request, error)
    except PasswordIsEmail:
        wrong = {"new": sentence(request, "password_is_email", {})}
    except PasswordRefused:
        wrong = {"new": sentence(request, "password_is_refused", {})}
    except InvalidCredentials:
        wrong = {"current": _("This is not your password.")}
    else:
        await sessions.end_others(user.id, read_cookie(request, SESSION))
        changed = _("Your password is changed. All other devices are signed out.")
        response = redirect(request, "/account", Toast(changed))
        if login is not None:
            await renew_session(request, response, sessions, login, tokens)
        return response
    form = Form(PASSWORD_FORM.values, wrong)
    return render(request, replace(page, form=form), 422)


@router.post("/email")
async def change_email(
    request: Request, user: Fresh, accounts: Accounts, limits: Limits, page: Page
) -> Response:
    """Write to the new address; the old one holds until that link is opened."""
    _ = language_of(request).gettext
    sent = await read_form(request)
    try:
        email = Address.model_validate(sent).email
    except ValidationError as error:
        form = Form({"email": sent.get("email", "")}, problems(request, error))
        return render(request, replace(page, email_form=form), 422)
    await limits.hit(MAIL_BY_ACCOUNT, user.email)
    try:
        await accounts.request_email_change(user, email, sent.get("password", "")[:128])
    except InvalidCredentials:
        wrong = {"password": _("This is not your password.")}
    except AddressRefused:
        wrong = {"email": sentence(request, "address_is_refused", {})}
    else:
        return redirect(request, "/check-mail")
    return render(request, replace(page, email_form=Form({"email": email}, wrong)), 422)


@router.get("/sessions")
async def list_sessions(
    request: Request,
    user: SignedIn,
    login: CurrentLogin,
    sessions: SessionServiceDep,
    events: Events,
) -> Response:
    """Where one is signed in, and what happened to the account."""
    page = SessionsPage(
        await sessions.all_of(user.id), login.id if login else 0, await events.latest(user.id)
    )
    return render(request, page)


@router.post("/sessions/end-others")
async def end_other_sessions(
    request: Request, user: SignedIn, sessions: SessionServiceDep, events: Events
) -> Response:
    """Sign out everywhere but here."""
    await sessions.end_others(user.id, read_cookie(request, SESSION))
    await events.record("signed_out_everywhere", user.id, actor_id=user.id)
    done = language_of(request).gettext("All other devices are signed out.")
    return redirect(request, "/account/sessions", Toast(done))


@router.post("/sessions/{session_id}/end")
async def end_session(
    request: Request,
    user: SignedIn,
    sessions: SessionServiceDep,
    events: Events,
    session_id: RowId,
) -> Response:
    """Sign out one device."""
    if not await sessions.revoke(user.id, session_id):
        raise HTTPException(404)
    await events.record("session_revoked", user.id, actor_id=user.id)
    done = language_of(request).gettext("This device is signed out.")
    return redirect(request, "/account/sessions", Toast(done))


@router.get("/delete")
async def delete_page(request: Request, user: Fresh) -> Response:
    """Says what will be gone, and asks for the address once more."""
    return render(request, DeletePage(Form({"email": ""})))


@router.post("/delete")
async def delete(
    request: Request, user: Fresh, settings: SettingsDep, accounts: Accounts
) -> Response:
    """Delete the account with everything that is in it."""
    _ = language_of(request).gettext
    if (await read_form(request)).get("email", "").strip().lower() != user.email:
        form = Form({"email": ""}, {"email": _("This is not the address of this account.")})
        return render(request, DeletePage(form), 422)
    try:
        await accounts.delete(user)
    except LastAdmin:
        alone = _("You are the only administrator. Make somebody else one first.")
        return render(request, DeletePage(Form({"email": ""}, {"": alone})), 422)
    request.state.viewer = None
    gone = Toast(_("Your account is deleted, with all its data."), "info")
    response = redirect(request, "/", gone)
    delete_cookie(response, settings, SESSION)
    return response
