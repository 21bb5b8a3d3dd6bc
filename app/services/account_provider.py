"""What each provider of accounts can do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.letters import LetterKind
from app.models.one_time_token import LinkType
from app.models.user import User
from app.schemas.account import ChangePassword, SignIn, SignUp

PostLetter = Callable[[LetterKind, str, str], None]
"""`post(kind, to, token)`: a letter that goes out once the transaction is committed."""


@dataclass(frozen=True, slots=True)
class Proven:
    """Somebody proved to be `user`; `tokens` are the provider's, where it has some."""

    user: User
    tokens: str = ""


class AccountProvider(Protocol):
    """Where accounts are kept. Whoever it is, the row in `users` is made here.

    Nothing here tells whether an address has an account, neither by an answer nor by its time. Any
    of it raises `ProviderUnavailable` where another service keeps them and does not answer.
    """

    asks_password_with_link: bool
    """Whether confirming an address takes the password too, see `open_link`."""

    sends_mail: bool
    """Whether links can be sent at all; without, nobody can sign up."""

    async def sign_up(self, data: SignUp) -> None:
        """Make an account and write to its address; write something else where it has one.

        Raises `PasswordRefused`, `AddressRefused` or `SignUpClosed`.
        """
        ...

    async def sign_in(self, data: SignIn) -> Proven:
        """Who these credentials belong to.

        Raises `InvalidCredentials`, `EmailNotConfirmed` or `AccountDisabled`.
        """
        ...

    async def request_link(self, link: LinkType, email: str) -> None:
        """Send a link to sign in or to set a new password, where there is an account."""
        ...

    async def open_link(self, link: LinkType, token: str, password: str = "") -> Proven:
        """Use up a link. Raises `LinkInvalid`, `InvalidCredentials` or `EmailTaken`.

        The first link of an account takes the password too: whoever signed up with the address of
        somebody else must not get in with their help.
        """
        ...

    async def verify_password(self, user: User, password: str) -> str:
        """The provider's newest token. Raises `InvalidCredentials`."""
        ...

    async def change_password(self, user_id: int, data: ChangePassword) -> str:
        """The provider's newest token; what it gave before is good for nothing more.

        Raises `InvalidCredentials`, `NotFound`, `PasswordIsEmail` or `PasswordRefused`.
        """
        ...

    async def set_password(self, user: User, password: str, tokens: str = "") -> None:
        """For whoever came with a link.

        Raises `PasswordIsEmail`, `PasswordRefused`, or `LinkInvalid` where that was used meanwhile.
        """
        ...

    async def request_email_change(self, user: User, email: str, password: str) -> None:
        """Send a link to the new address; the old one holds until it is opened.

        Raises `InvalidCredentials` where the password is wrong, or `AddressRefused`.
        """
        ...

    async def delete(self, user: User) -> None:
        """Delete an account with all its data."""
        ...
