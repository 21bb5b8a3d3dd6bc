"""What is said about signing in with another service."""

from typing import Final, get_args

from fastapi import Request

from app.config_values import PROVIDERS, ProviderName
from app.services.errors import OAuthReason
from app.templating import language_of

_REASONS: Final[tuple[OAuthReason, ...]] = get_args(OAuthReason)


def sentence_of(request: Request, reason: OAuthReason, provider: ProviderName) -> str:
    """Why it did not work, and what to do."""
    _ = language_of(request).gettext
    match reason:
        case "denied":
            said = _("You did not let %(provider)s tell us who you are, so nothing was done.")
        case "expired":
            said = _("That took too long, or was begun in another window. Please try again.")
        case "refused":
            said = _("%(provider)s did not confirm who you are. Please try again.")
        case "unverified":
            said = _(
                "%(provider)s does not know whether your e-mail address is yours. "
                "Please verify it there first."
            )
        case "away":
            said = _(
                "%(provider)s is not answering. Please try again in a few minutes, "
                "or sign in another way."
            )
        case "closed":
            said = _("This account is closed. Please ask the administrator.")
        case "other":
            said = _("This account at %(provider)s belongs to another account here.")
        case "only":
            said = _(
                "You could not sign in any more without %(provider)s. "
                "Set a password first, or add another way to sign in."
            )
        case "off":
            said = _(
                "This server does not let its users add or remove %(provider)s by themselves. "
                "Please ask the administrator."
            )
    # Without a name in it, a sentence must not choke on one.
    return said.replace("%(provider)s", PROVIDERS[provider])


def problem_of(request: Request, reason: str, provider: str) -> str:
    """The sentence for what an address carries, which anybody may have written; else nothing."""
    for known in _REASONS:
        for name in PROVIDERS:
            if (known, name) == (reason, provider):
                return sentence_of(request, known, name)
    return ""
