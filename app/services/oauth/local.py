"""Accounts at other services, for accounts in the app's own database."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from app.config_values import ProviderName
from app.database import let_go
from app.lib.logger import TraceLogger
from app.models.oauth_identity import OAuthIdentity
from app.models.user import User
from app.services.account_provider import PostLetter, Proven
from app.services.account_service import LocalAccounts
from app.services.errors import NotFound, OAuthFailed
from app.services.oauth.clients import Clients
from app.services.oauth.flow import Flow
from app.services.oauth.identities import Identities
from app.services.oauth.provider import Profile


class LocalOAuth:
    """Asks the services itself. Commits before it waits for them, and else never."""

    def __init__(
        self,
        session: AsyncSession,
        accounts: LocalAccounts,
        identities: Identities,
        clients: Clients,
        logger: TraceLogger,
        *,
        post: PostLetter,
    ) -> None:
        self._session = session
        self._accounts = accounts
        self._identities = identities
        self._clients = clients
        self._logger = logger
        self._post = post

    async def begin(self, flow: Flow, user: User | None = None) -> str:
        return self._clients[flow.provider].authorize_url(flow)

    async def sign_in(self, flow: Flow, code: str) -> Proven:
        profile = await self._profile(flow, code)
        async with (
            self._logger.task("OAuth_Sign_In") as task,
            task.step("Find_Account", {"provider": flow.provider}) as step,
        ):
            user = await self._identities.user_of(flow.provider, profile.subject)
            if user is None:
                user = await self._user_with_address(flow, profile)
            step.output = {"user_id": user.id}
            if user.disabled_at is not None:
                raise OAuthFailed("closed")
        return Proven(user)

    async def link(self, user: User, flow: Flow, code: str) -> None:
        profile = await self._profile(flow, code)
        if not await self._identities.add(user, flow.provider, profile.subject):
            raise OAuthFailed("other")
        self._post("provider_was_linked", user.email, "")

    async def verify(self, user: User, flow: Flow, code: str) -> None:
        profile = await self._profile(flow, code)
        found = await self._identities.user_of(flow.provider, profile.subject)
        if found is None or found.id != user.id:
            raise OAuthFailed("other")

    async def linked(self, user: User) -> Sequence[OAuthIdentity]:
        return await self._identities.of(user)

    async def unlink(self, user: User, provider: ProviderName) -> None:
        linked = await self._identities.of(user)
        if all(each.provider != provider for each in linked):
            raise NotFound
        if not self.has_password(user) and all(each.provider == provider for each in linked):
            raise OAuthFailed("only")
        await self._identities.remove(user, provider)

    def has_password(self, user: User) -> bool:
        return user.password_hash is not None

    async def _profile(self, flow: Flow, code: str) -> Profile:
        await let_go(self._session)
        async with (
            self._logger.task("OAuth_Profile") as task,
            task.step("Ask_Provider", {"provider": flow.provider}),
        ):
            return await self._clients[flow.provider].profile(flow, code)

    async def _user_with_address(self, flow: Flow, profile: Profile) -> User:
        """The account of an address that the provider knows to be right, linked from now on."""
        if not profile.email:
            raise OAuthFailed("unverified")
        user = await self._accounts.owner_of(profile.email, profile.name)
        if user.disabled_at is not None:
            raise OAuthFailed("closed")
        had_a_way_in = self.has_password(user) or await self._identities.of(user)
        if not await self._identities.add(user, flow.provider, profile.subject):
            # Somebody else came back with the same account at the same time.
            raise OAuthFailed("other")
        if had_a_way_in:
            self._post("provider_was_linked", user.email, "")
        return user
