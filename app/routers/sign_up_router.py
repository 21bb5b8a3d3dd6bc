"""Make an account, and the links in mails: confirm an address, sign in, set a new password."""

from typing import Annotated, Final

from fastapi import APIRouter, BackgroundTasks, Query, Request
from fastapi.responses import Response
from pydantic import ValidationError

from app.dependencies import (
    Accounts,
    CurrentUser,
    Events,
    Limits,
    MailerDep,
    OutboxDep,
    SessionServiceDep,
    SettingsDep,
    client_block,
)
from app.forms import Form, problems, read_form, sentence
from app.mail import Mailbox
from app.models.one_time_token import LinkType
from app.routers.account_pages import (
    CheckMailPage,
    ConfirmPage,
    LinkRequestPage,
    NewPasswordPage,
    SignUpPage,
)
from app.routers.browser_session import (
    AFTER_SIGN_IN,
    complete_sign_in,
    drop_pending,
    read_pending,
    set_pending,
)
from app.routers.link_request import request_link
from app.schemas.account import Address, NewPassword, SignUp
from app.security import local_path
from app.services.errors import (
    AccountDisabled,
    AddressRefused,
    EmailTaken,
    InvalidCredentials,
    LinkInvalid,
    OtherLinkToo,
    PasswordIsEmail,
    PasswordRefused,
    SignUpClosed,
)
from app.services.rate_limits import MAIL_BY_ACCOUNT, MAIL_BY_IP, SIGN_IN_BY_IP, SIGN_UP_BY_IP
from app.templating import Toast, language_of, redirect, render

router = APIRouter(include_in_schema=False)

Next = Annotated[str, Query(alias="next")]
TypeParam = Annotated[str, Query(alias="type")]
_REQUESTED: Final[dict[str, LinkType]] = {
    "/forgot-password": "recovery",
    "/sign-in/link": "magiclink",
}


@router.get("/sign-up")
async def sign_up_page(
    request: Request,
    user: CurrentUser,
    settings: SettingsDep,
    accounts: Accounts,
    next_: Next = "",
) -> Response:
    """The form; who is signed in already goes on."""
    if user is not None:
        return redirect(request, local_path(next_, AFTER_SIGN_IN))
    form = Form({"name": "", "email": "", "password": ""})
    return render(request, SignUpPage(form, next_, settings.providers, accounts.sends_mail))


@router.post("/sign-up")
async def sign_up(
    request: Request, settings: SettingsDep, accounts: Accounts, limits: Limits
) -> Response:
    """Make an account; what happens next is in a mail, whether the address is new or not."""
    sent = await read_form(request)
    await limits.hit(SIGN_UP_BY_IP, client_block(request))
    shown = {"name": sent.get("name", ""), "email": sent.get("email", ""), "password": ""}
    after = sent.get("next", "")
    if not accounts.sends_mail:
        return render(request, SignUpPage(Form(shown), after, settings.providers, open=False), 503)
    try:
        data = SignUp.model_validate(sent)
    except ValidationError as error:
        form = Form(shown, problems(request, error))
        return render(request, SignUpPage(form, after, settings.providers, open=True), 422)
    await limits.hit(MAIL_BY_ACCOUNT, data.email)
    try:
        await accounts.sign_up(data)
    except PasswordRefused:
        wrong = {"password": sentence(request, "password_is_refused", {})}
    except AddressRefused:
        wrong = {"email": sentence(request, "address_is_refused", {})}
    except SignUpClosed:
        wrong = {"": sentence(request, "sign_up_is_closed", {})}
    else:
        return redirect(request, "/check-mail")
    return render(
        request, SignUpPage(Form(shown, wrong), after, settings.providers, open=True), 422
    )


@router.get("/check-mail")
async def check_mail(
    request: Request, user: CurrentUser, mailer: MailerDep, settings: SettingsDep
) -> Response:
    """Says to look into one's mail."""
    return render(
        request, CheckMailPage(isinstance(mailer, Mailbox) and not settings.uses_supabase)
    )


@router.get("/forgot-password")
@router.get("/sign-in/link")
async def link_request_page(request: Request, user: CurrentUser, accounts: Accounts) -> Response:
    """Asks for the address."""
    link = _REQUESTED[request.url.path]
    return render(request, LinkRequestPage(link, Form({"email": ""}), accounts.sends_mail))


@router.post("/forgot-password")
@router.post("/sign-in/link")
async def send_link(
    request: Request, accounts: Accounts, out: OutboxDep, tasks: BackgroundTasks, limits: Limits
) -> Response:
    """Send the link where there is an account. That is looked up after the response: its time
    tells nothing.
    """
    link = _REQUESTED[request.url.path]
    sent = await read_form(request)
    await limits.hit(MAIL_BY_IP, client_block(request))
    try:
        email = Address.model_validate(sent).email
    except ValidationError as error:
        form = Form({"email": sent.get("email", "")}, problems(request, error))
        return render(request, LinkRequestPage(link, form, accounts.sends_mail), 422)
    await limits.hit(MAIL_BY_ACCOUNT, email)
    tasks.add_task(request_link, request, out, link, email)
    return redirect(request, "/check-mail")


@router.get("/auth/confirm")
async def confirm_page(
    request: Request,
    user: CurrentUser,
    accounts: Accounts,
    token_hash: str = "",
    type_: TypeParam = "email",
) -> Response:
    """What a link does. Opening it does nothing yet: mail scanners open every link."""
    return render(request, _confirm(accounts, type_, token_hash))


@router.post("/auth/confirm")
async def confirm(
    request: Request,
    accounts: Accounts,
    sessions: SessionServiceDep,
    events: Events,
    limits: Limits,
) -> Response:
    """Do what the link is for."""
    _ = language_of(request).gettext
    sent = await read_form(request)
    await limits.hit(SIGN_IN_BY_IP, client_block(request))
    link, token = _link_type(sent.get("type", "")), sent.get("token_hash", "")
    try:
        proven = await accounts.open_link(link, token, sent.get("password", "")[:128])
    except InvalidCredentials:
        wrong = {"password": _("This is not the password that the account was made with.")}
        return render(request, _confirm(accounts, link, token, wrong), 422)
    except LinkInvalid:
        wrong = {"": _("This link was used already, or is too old. Please ask for a new one.")}
        return render(request, _confirm(accounts, link, token, wrong), 422)
    except EmailTaken:
        wrong = {"": _("Another account has this address by now.")}
        return render(request, _confirm(accounts, link, token, wrong), 422)
    except OtherLinkToo:
        other = _("This link is taken. Please open the one in the mail to your other address too.")
        return redirect(request, "/check-mail", Toast(other, "info"))
    except AccountDisabled:
        wrong = {"": _("This account is closed. Please ask the administrator.")}
        return render(request, _confirm(accounts, link, token, wrong), 422)
    match link:
        case "recovery":
            response = redirect(request, "/reset-password")
            set_pending(request, response, "password", proven.user, tokens=proven.tokens)
            return response
        case "email_change":
            return redirect(request, "/account", Toast(_("Your e-mail address is changed.")))
        case "email":
            toast = Toast(_("Welcome, %(name)s.") % {"name": proven.user.name})
            return await complete_sign_in(
                request, sessions, events, proven, "", toast=toast, how="password"
            )
        case _:
            return await complete_sign_in(request, sessions, events, proven, "", how="link")


@router.get("/reset-password")
async def reset_page(request: Request, sessions: SessionServiceDep) -> Response:
    """The form for a new password, for whoever came with a link."""
    pending = await read_pending(request, "password", sessions)
    if pending is None:
        return redirect(request, "/forgot-password")
    return render(request, NewPasswordPage(Form({"new": ""}), pending[0].email))


@router.post("/reset-password")
async def reset_password(
    request: Request, accounts: Accounts, sessions: SessionServiceDep
) -> Response:
    """Set it, and end all sessions; the second factor stays."""
    _ = language_of(request).gettext
    pending = await read_pending(request, "password", sessions)
    if pending is None:
        return redirect(request, "/forgot-password")
    user, noted = pending
    try:
        data = NewPassword.model_validate(await read_form(request))
        await accounts.set_password(user, data.new, noted["tokens"])
    except ValidationError as error:
        form = Form({"new": ""}, problems(request, error))
        return render(request, NewPasswordPage(form, user.email), 422)
    except PasswordRefused as refused:
        form = Form({"new": ""}, {"new": sentence(request, "password_is_refused", {})})
        again: Response = render(request, NewPasswordPage(form, user.email), 422)
        if refused.tokens:
            set_pending(request, again, "password", user, tokens=refused.tokens)
        return again
    except LinkInvalid:
        used = _("This link was used already, or is too old. Please ask for a new one.")
        return redirect(request, "/forgot-password", Toast(used, "error"))
    except PasswordIsEmail:
        form = Form({"new": ""}, {"new": sentence(request, "password_is_email", {})})
        return render(request, NewPasswordPage(form, user.email), 422)
    toast = Toast(_("Your password is changed. Please sign in with it."))
    response = redirect(request, "/sign-in", toast)
    drop_pending(request, response)
    return response


def _link_type(value: str) -> LinkType:
    for link in ("email", "magiclink", "recovery", "email_change"):
        if value == link:
            return link
    return "email"


def _confirm(
    accounts: Accounts, type_: str, token: str, wrong: dict[str, str] | None = None
) -> ConfirmPage:
    link = _link_type(type_)
    asks = link == "email" and accounts.asks_password_with_link
    return ConfirmPage(link, token, asks, Form({"password": ""}, wrong or {}))
