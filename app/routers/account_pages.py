"""What the templates of account pages get."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from app.config_values import ProviderName
from app.forms import Form
from app.models.access_token import AccessToken
from app.models.account_event import AccountEvent
from app.models.login_session import LoginSession
from app.models.oauth_identity import OAuthIdentity
from app.models.one_time_token import LinkType
from app.models.user import User
from app.services.user_admin import UserPage
from app.templating import Template


@dataclass(frozen=True, slots=True)
class SignInPage(Template):
    template: ClassVar[str] = "account/sign_in.html"
    form: Form
    next: str
    providers: Sequence[ProviderName]


@dataclass(frozen=True, slots=True)
class SignInCodePage(Template):
    template: ClassVar[str] = "account/sign_in_code.html"
    form: Form


@dataclass(frozen=True, slots=True)
class SignUpPage(Template):
    template: ClassVar[str] = "account/sign_up.html"
    form: Form
    next: str
    providers: Sequence[ProviderName]
    open: bool
    """Whether mail can be sent: without it no address can be confirmed."""


@dataclass(frozen=True, slots=True)
class LinkRequestPage(Template):
    """Asks for an address to send a link to: to sign in, or to set a new password."""

    template: ClassVar[str] = "account/link_request.html"
    link: LinkType
    form: Form
    mail_works: bool


@dataclass(frozen=True, slots=True)
class CheckMailPage(Template):
    template: ClassVar[str] = "account/check_mail.html"
    has_mailbox: bool


@dataclass(frozen=True, slots=True)
class ConfirmPage(Template):
    """The page of a link in a mail: what it does, and the button that does it."""

    template: ClassVar[str] = "account/confirm.html"
    link: LinkType
    token_hash: str
    asks_password: bool
    form: Form


@dataclass(frozen=True, slots=True)
class NewPasswordPage(Template):
    template: ClassVar[str] = "account/new_password.html"
    form: Form
    email: str


@dataclass(frozen=True, slots=True)
class VerifyPage(Template):
    template: ClassVar[str] = "account/verify.html"
    form: Form
    next: str
    has_password: bool
    providers: Sequence[ProviderName]
    """What the reader has linked."""


@dataclass(frozen=True, slots=True)
class AccountPage(Template):
    template: ClassVar[str] = "account/account.html"
    form: Form
    """Of the password."""
    email_form: Form
    mail_works: bool
    has_password: bool
    linked: Mapping[ProviderName, datetime | None]
    """Since when each service is a way to sign in; None where it is not, but may be."""


@dataclass(frozen=True, slots=True)
class SessionsPage(Template):
    template: ClassVar[str] = "account/sessions.html"
    sessions: Sequence[LoginSession]
    current_id: int
    events: Sequence[AccountEvent]


@dataclass(frozen=True, slots=True)
class SecondFactorPage(Template):
    template: ClassVar[str] = "account/second_factor.html"
    is_on: bool
    codes_left: int
    key: str
    qr_code: str
    """The key's QR code as a `data:` URL."""
    form: Form


@dataclass(frozen=True, slots=True)
class BackupCodesPage(Template):
    template: ClassVar[str] = "account/backup_codes.html"
    codes: Sequence[str]


@dataclass(frozen=True, slots=True)
class TokensPage(Template):
    template: ClassVar[str] = "account/tokens.html"
    tokens: Sequence[AccessToken]
    form: Form
    made: str = ""
    """A token just made, to be shown this once."""


@dataclass(frozen=True, slots=True)
class DeletePage(Template):
    template: ClassVar[str] = "account/delete.html"
    form: Form


@dataclass(frozen=True, slots=True)
class UsersPage(Template):
    template: ClassVar[str] = "admin/users.html"
    page: UserPage
    query: str


@dataclass(frozen=True, slots=True)
class UserPageOfAdmin(Template):
    template: ClassVar[str] = "admin/user.html"
    user: User
    linked: Sequence[OAuthIdentity]
    sessions: Sequence[LoginSession]
    events: Sequence[AccountEvent]


@dataclass(frozen=True, slots=True)
class EventsPage(Template):
    template: ClassVar[str] = "admin/events.html"
    events: Sequence[AccountEvent]


PASSWORD_FORM: Final = Form({"current": "", "new": ""})
EMAIL_FORM: Final = Form({"email": ""})


def qr_code(uri: str) -> str:
    """A QR code as the `data:` URL of an SVG, on white: readers need the contrast."""
    import segno

    url: str = segno.make(uri, error="m").svg_data_uri(scale=5, border=3, light="#fff")
    return url
