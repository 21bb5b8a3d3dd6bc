"""One way to another service and back, and what the two ends of it must agree on."""

import base64
import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal, Protocol, Self

from app.config_values import ProviderName
from app.models.oauth_identity import OAuthIdentity
from app.models.user import User
from app.services.account_provider import Proven

Purpose = Literal["sign_in", "link", "verify"]


@dataclass(frozen=True, slots=True)
class Flow:
    """What a browser keeps, encrypted, while it is at the other service."""

    provider: ProviderName
    purpose: Purpose
    redirect_uri: str
    next: str
    user_id: int
    """Who was signed in when it began; 0 for nobody."""
    state: str
    verifier: str
    nonce: str

    @classmethod
    def begin(
        cls,
        provider: ProviderName,
        purpose: Purpose,
        redirect_uri: str,
        *,
        next_: str = "",
        user_id: int = 0,
    ) -> Self:
        """A new one, with random numbers of its own."""
        random = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(provider, purpose, redirect_uri, next_, user_id, *random)

    @classmethod
    def load(cls, text: str) -> Self | None:
        """What `dump` made; None where another version of the app did."""
        try:
            return cls(**json.loads(text))
        except (TypeError, ValueError):
            return None

    def dump(self) -> str:
        """As text. It holds the verifier: encrypt it."""
        return json.dumps(asdict(self))

    @property
    def challenge(self) -> str:
        """The verifier's SHA-256, which tells nobody what the verifier is."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def is_answered_by(self, state: str) -> bool:
        """Whether an answer with this state is one to this flow."""
        return secrets.compare_digest(state.encode("utf-8", "surrogatepass"), self.state.encode())


class OAuth(Protocol):
    """Where accounts at other services are kept. Never commits.

    What takes a code raises `OAuthFailed`, or `ProviderUnavailable` where nobody answers.
    """

    async def begin(self, flow: Flow, user: User | None = None) -> str:
        """The URL to send the browser to; `user` is whose account gets one more way to sign in."""
        ...

    async def sign_in(self, flow: Flow, code: str) -> Proven:
        """Who came back. One who was never here gets an account, where the provider knows that
        the address is theirs.
        """
        ...

    async def link(self, user: User, flow: Flow, code: str) -> None:
        """From now on `user` can sign in with the account of whoever came back."""
        ...

    async def verify(self, user: User, flow: Flow, code: str) -> None:
        """Whoever came back is `user`; else raises `OAuthFailed`."""
        ...

    async def linked(self, user: User) -> Sequence[OAuthIdentity]:
        """What `user` can sign in with."""
        ...

    async def unlink(self, user: User, provider: ProviderName) -> None:
        """Raises `NotFound`, or `OAuthFailed` where nothing else would be left to sign in with."""
        ...

    def has_password(self, user: User) -> bool:
        """Whether `user` may have one."""
        ...
