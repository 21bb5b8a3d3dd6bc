"""What services raise where a caller's wish cannot be met."""

from typing import Literal


class ServiceError(Exception):
    """A wish that could not be met, for a reason that the user can be told."""


class NotFound(ServiceError):
    """There is no such thing, or it is another's: nobody can tell which."""


class Forbidden(ServiceError):
    """The user may know of it, but not do it."""


class Conflict(ServiceError):
    """Somebody changed it in the meantime."""


class InvalidCredentials(ServiceError):
    """The address is unknown or the password wrong: nobody can tell which."""


class EmailNotConfirmed(ServiceError):
    """The credentials are right, but nobody has opened the link that was sent to the address."""


class AccountDisabled(ServiceError):
    """The credentials are right, but an administrator has closed the account."""


class EmailTaken(ServiceError):
    """Another account has this address."""


class PasswordIsEmail(ServiceError):
    """The new password is the account's address."""


class PasswordRefused(ServiceError):
    """The service that keeps the accounts does not take this password.

    `tokens` are those to try another one with, where the old ones are used up.
    """

    def __init__(self, tokens: str = "") -> None:
        super().__init__()
        self.tokens = tokens


class AddressRefused(ServiceError):
    """The service that keeps the accounts does not take this address, whoever has it."""


class MailTooSoon(ServiceError):
    """A mail went to this address only just now, so there is no other one yet."""


class SignUpClosed(ServiceError):
    """The service that keeps the accounts takes no new ones."""


class LinkInvalid(ServiceError):
    """The link was opened before, is too old, or never was one."""


class OtherLinkToo(ServiceError):
    """The link is taken, but the one that was sent to the other address has to be opened too."""


class CodeInvalid(ServiceError):
    """The second factor's code is wrong, too old, or was used before."""


class LastAdmin(ServiceError):
    """Without this administrator there would be none."""


class ProviderUnavailable(ServiceError):
    """The service that keeps the accounts does not answer."""


OAuthReason = Literal[
    "denied",  # consent was not given
    "expired",  # it took too long, was begun in another browser, or comes a second time
    "refused",  # the provider does not take the code
    "unverified",  # the provider does not say that the address is theirs
    "away",  # the provider does not answer, or does not know this app
    "closed",  # an administrator has closed the account
    "other",  # that account belongs to somebody else here
    "only",  # without it nobody could sign in any more
    "off",  # Supabase does not let users link accounts by hand
]


class OAuthFailed(ServiceError):
    """Signing in with another service, or what is done with it, did not work."""

    def __init__(self, reason: OAuthReason) -> None:
        super().__init__(reason)
        self.reason: OAuthReason = reason
