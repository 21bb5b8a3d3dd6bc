"""Accounts: sign up, sign in, sign out, and one's own page."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError

from app.cookies import SESSION, cookie_name, delete_cookie, read_cookie, set_cookie
from app.dependencies import Accounts, CurrentUser, SessionServiceDep, SettingsDep, SignedIn
from app.forms import Form, problems, read_form, sentence
from app.models.user import User
from app.schemas.account import ChangePassword, SignIn, SignUp
from app.security import local_path
from app.services.errors import EmailTaken, InvalidCredentials, PasswordIsEmail
from app.services.session_service import ABSOLUTE, SessionService
from app.templating import Template, Toast, language_of, redirect, render

router = APIRouter(include_in_schema=False)

AFTER_SIGN_IN = "/items"


@dataclass(frozen=True, slots=True)
class SignInPage(Template):
    template: ClassVar[str] = "account/sign_in.html"
    form: Form
    next: str


@dataclass(frozen=True, slots=True)
class SignUpPage(Template):
    template: ClassVar[str] = "account/sign_up.html"
    form: Form
    next: str


@dataclass(frozen=True, slots=True)
class AccountPage(Template):
    template: ClassVar[str] = "account/account.html"
    form: Form


Next = Annotated[str, Query(alias="next")]


@router.get("/sign-in")
async def sign_in_page(request: Request, user: CurrentUser, next_: Next = "") -> Response:
    """The form; who is signed in already goes on."""
    if user is not None:
        return redirect(request, local_path(next_, AFTER_SIGN_IN))
    return render(request, SignInPage(Form({"email": "", "password": ""}), next_))


@router.post("/sign-in")
async def sign_in(
    request: Request, settings: SettingsDep, accounts: Accounts, sessions: SessionServiceDep
) -> Response:
    """Start a session and go on to where the user was heading."""
    sent = await read_form(request)
    # An unknown address, a wrong password and a malformed one look the same.
    wrong = language_of(request).gettext("The e-mail address or the password is not right.")
    form = Form({"email": sent.get("email", ""), "password": ""}, {"": wrong})
    page = SignInPage(form, sent.get("next", ""))
    try:
        user = await accounts.sign_in(SignIn.model_validate(sent))
    except (ValidationError, InvalidCredentials):
        return render(request, page, 422)
    response = redirect(request, local_path(page.next, AFTER_SIGN_IN))
    await _start_session(request, response, sessions, user)
    return response


@router.get("/sign-up")
async def sign_up_page(request: Request, user: CurrentUser, next_: Next = "") -> Response:
    """The form; who is signed in already goes on."""
    if user is not None:
        return redirect(request, local_path(next_, AFTER_SIGN_IN))
    return render(request, SignUpPage(Form({"name": "", "email": "", "password": ""}), next_))


@router.post("/sign-up")
async def sign_up(
    request: Request, settings: SettingsDep, accounts: Accounts, sessions: SessionServiceDep
) -> Response:
    """Make an account and sign in with it."""
    _ = language_of(request).gettext
    sent = await read_form(request)
    shown = {"name": sent.get("name", ""), "email": sent.get("email", ""), "password": ""}
    after = sent.get("next", "")
    try:
        user = await accounts.sign_up(SignUp.model_validate(sent))
    except ValidationError as error:
        return render(request, SignUpPage(Form(shown, problems(request, error)), after), 422)
    except EmailTaken:
        taken = {"email": _("There is already an account with this address.")}
        return render(request, SignUpPage(Form(shown, taken), after), 422)
    toast = Toast(_("Welcome, %(name)s.") % {"name": user.name})
    response = redirect(request, local_path(after, AFTER_SIGN_IN), toast)
    await _start_session(request, response, sessions, user)
    return response


@router.post("/sign-out")
async def sign_out(
    request: Request, settings: SettingsDep, sessions: SessionServiceDep
) -> Response:
    """End this browser's session; harmless without one."""
    if token := read_cookie(request, SESSION):
        await sessions.end(token)
    _ = language_of(request).gettext
    response = redirect(request, "/", Toast(_("You are signed out."), "info"))
    delete_cookie(response, settings, SESSION)
    return response


@router.get("/account")
@router.get("/account/password")
async def account(request: Request, user: SignedIn) -> HTMLResponse:
    """Who one is here, and the form for a new password."""
    return render(request, AccountPage(Form({"current": "", "new": ""})))


@router.post("/account/password")
async def change_password(
    request: Request, user: SignedIn, accounts: Accounts, sessions: SessionServiceDep
) -> Response:
    """Set a new password and end all other sessions."""
    _ = language_of(request).gettext
    empty = {"current": "", "new": ""}
    try:
        data = ChangePassword.model_validate(await read_form(request))
        await accounts.change_password(user.id, data)
    except ValidationError as error:
        return render(request, AccountPage(Form(empty, problems(request, error))), 422)
    except PasswordIsEmail:
        wrong = {"new": sentence(request, "password_is_email", {})}
        return render(request, AccountPage(Form(empty, wrong)), 422)
    except InvalidCredentials:
        wrong = {"current": _("This is not your password.")}
        return render(request, AccountPage(Form(empty, wrong)), 422)
    await sessions.end_others(user.id, read_cookie(request, SESSION))
    changed = _("Your password is changed. All other devices are signed out.")
    return redirect(request, "/account", Toast(changed))


async def _start_session(
    request: Request, response: Response, sessions: SessionService, user: User
) -> None:
    """Give the browser a fresh session; the one it had, if any, ends."""
    settings = request.app.state.settings
    if old := request.cookies.get(cookie_name(settings, SESSION)):
        await sessions.end(old)
    token = await sessions.start(
        user,
        user_agent=request.headers.get("user-agent", ""),
        ip=request.client.host if request.client else "",
    )
    set_cookie(response, settings, SESSION, token, max_age=int(ABSOLUTE.total_seconds()))
