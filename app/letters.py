"""What the app writes to people: each letter in the language of the page that caused it."""

from typing import Literal
from urllib.parse import quote

from app.i18n import Language
from app.mail import Mail
from app.models.one_time_token import LinkType
from app.product import NAME

LetterKind = Literal[
    LinkType,
    "already_registered",
    "email_was_changed",
    "password_was_changed",
    "provider_was_linked",
]


def write_letter(language: Language, origin: str, kind: LetterKind, to: str, token: str) -> Mail:
    """The mail of a kind; `token` is what its link carries, where it has one."""
    _ = language.gettext
    link = ""
    match kind:
        case "email":
            subject = _("Confirm your e-mail address")
            text = _("Open this link to confirm your address. It is good for 24 hours.")
        case "magiclink":
            subject = _("Your sign-in link")
            text = _("Open this link to sign in. It is good for 10 minutes, and once.")
        case "recovery":
            subject = _("Set a new password")
            text = _("Open this link to set a new password. It is good for one hour, and once.")
        case "email_change":
            subject = _("Confirm your new e-mail address")
            text = _("Open this link to use this address from now on. It is good for 24 hours.")
        case "already_registered":
            subject = _("You already have an account")
            text = _(
                "Somebody, probably you, wanted to create an account with this address. "
                "There is one already. Sign in here, or set a new password:"
            )
            link = f"{origin}/sign-in"
        case "email_was_changed":
            subject = _("Your e-mail address was changed")
            text = _(
                "Your account has another e-mail address from now on. "
                "If this was not you, please tell the administrator at once."
            )
        case "password_was_changed":
            subject = _("Your password was changed")
            text = _(
                "Your account has a new password, and all other devices are signed out. "
                "If this was not you, set a new one at once:"
            )
            link = f"{origin}/forgot-password"
        case "provider_was_linked":
            subject = _("One more way to sign in")
            text = _(
                "Your account can be signed in to with another service from now on. "
                "If this was not you, unlink it here and change your password:"
            )
            link = f"{origin}/account"
    if token:
        link = f"{origin}/auth/confirm?token_hash={quote(token)}&type={kind}"
    ignore = _("If you did not ask for this, you need not do anything.")
    lines = [text, link, ignore if token else "", NAME]
    return Mail(to, subject, "\n\n".join(line for line in lines if line) + "\n", link)
