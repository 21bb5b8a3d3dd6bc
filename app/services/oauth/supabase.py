"""Accounts at other services, for accounts in Supabase Auth: it is what asks the services."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncSession

from app.config_values import PROVIDERS, ProviderName
from app.database import let_go
from app.lib.logger import TraceLogger
from app.models.oauth_identity import OAuthIdentity
from app.models.user import User
from app.services.account_provider import Proven
from app.services.errors import (
    AccountDisabled,
    EmailTaken,
    InvalidCredentials,
    NotFound,
    OAuthFailed,
)
from app.services.oauth.flow import Flow
from app.services.oauth.identities import Identities
from app.services.oauth.provider import with_query
from app.services.supabase_accounts import SupabaseAccounts
from app.services.supabase_client import Supabase, told

if TYPE_CHECKING:  # it takes a while to read, and is for Supabase alone
    from supabase_auth import AsyncGoTrueClient
    from supabase_auth.types import AuthResponse


class SupabaseOAuth:
    """Has Supabase do it, and notes here what is linked there.

    Commits before it waits for Supabase, and else never.
    """

    def __init__(
        self,
        session: AsyncSession,
        accounts: SupabaseAccounts,
        identities: Identities,
        supabase: Supabase,
        logger: TraceLogger,
    ) -> None:
        self._session = session
        self._accounts = accounts
        self._identities = identities
        self._supabase = supabase
        self._logger = logger

    async def begin(self, flow: Flow, user: User | None = None) -> str:
        query = {
            # Supabase keeps the query of where it sends the browser back to.
            "redirect_to": with_query(flow.redirect_uri, state=flow.state),
            "code_challenge": flow.challenge,
            "code_challenge_method": "s256",
        }
        if user is None:
            url = f"{self._supabase.url}/authorize"
            return with_query(url, provider=flow.provider, **query)
        redirect_to = query.pop("redirect_to")
        await let_go(self._session)
        async with told(OAuthFailed):
            client = await self._signed_in(user)
            answer = await client.link_identity(
                {
                    "provider": flow.provider,
                    "options": {"redirect_to": redirect_to, "query_params": query},
                }
            )
        return answer.url

    async def sign_in(self, flow: Flow, code: str) -> Proven:
        answer = await self._exchange(flow, code)
        try:
            proven = await self._accounts.proven(answer)
        except AccountDisabled:
            raise OAuthFailed("closed") from None
        except InvalidCredentials:
            raise OAuthFailed("unverified") from None
        except EmailTaken:
            raise OAuthFailed("other") from None
        await self._note(proven.user, answer)
        return proven

    async def link(self, user: User, flow: Flow, code: str) -> None:
        answer = await self._exchange(flow, code)
        self._check(user, answer)
        await self._note(user, answer)

    async def verify(self, user: User, flow: Flow, code: str) -> None:
        self._check(user, await self._exchange(flow, code))

    async def linked(self, user: User) -> Sequence[OAuthIdentity]:
        return await self._identities.of(user)

    async def unlink(self, user: User, provider: ProviderName) -> None:
        if all(each.provider != provider for each in await self._identities.of(user)):
            raise NotFound
        await let_go(self._session)
        async with told(OAuthFailed):
            client = await self._signed_in(user)
            for identity in (await client.get_user_identities()).identities:
                if identity.provider == provider:
                    await client.unlink_identity(identity)
        await self._identities.remove(user, provider)

    def has_password(self, user: User) -> bool:
        return True  # only Supabase knows

    async def _exchange(self, flow: Flow, code: str) -> "AuthResponse":
        await let_go(self._session)
        try:
            async with (
                self._logger.task("OAuth_Profile") as task,
                task.step("Supabase_Exchange", {"provider": flow.provider}),
                told(AccountDisabled, InvalidCredentials, OAuthFailed),
            ):
                return await self._supabase.client().exchange_code_for_session(
                    {
                        "auth_code": code,
                        "code_verifier": flow.verifier,
                        "redirect_to": flow.redirect_uri,
                    }
                )
        except AccountDisabled:
            raise OAuthFailed("closed") from None
        except InvalidCredentials:
            raise OAuthFailed("refused") from None

    async def _signed_in(self, user: User) -> "AsyncGoTrueClient":
        """A client that acts for `user`, by the project's secret key: their tokens are not kept."""
        if not self._supabase.has_secret_key or user.supabase_id is None:
            raise OAuthFailed("off")
        client = self._supabase.client()
        admin = self._supabase.client(as_admin=True).admin
        # The address that Supabase has now: a link for another would be somebody else's.
        account = (await admin.get_user_by_id(str(user.supabase_id))).user
        link = await admin.generate_link({"type": "magiclink", "email": account.email or ""})
        token = link.properties.hashed_token
        self._check(user, await client.verify_otp({"token_hash": token, "type": "magiclink"}))
        return client

    def _check(self, user: User, answer: "AuthResponse") -> None:
        if answer.user is None or answer.user.id != str(user.supabase_id):
            raise OAuthFailed("other")

    async def _note(self, user: User, answer: "AuthResponse") -> None:
        for identity in (answer.user and answer.user.identities) or []:
            for provider in PROVIDERS:
                if identity.provider == provider:
                    subject = str(identity.identity_data.get("sub") or identity.id)
                    await self._identities.add(user, provider, subject)
