"""What a route may ask for, as named types.

All of it is `async`, also what waits for nothing: FastAPI calls a plain function in a thread, which
takes longer than most functions. And it goes through all that a thing asks for wherever that thing
is asked for, known or not: what is in most routes asks for little.
"""

from collections.abc import AsyncIterator
from typing import Annotated, cast

from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.acting import act_as, act_as_system
from app.client_address import block_of
from app.config import Settings
from app.cookies import JOBS, SESSION, read_cookie
from app.database import Database, let_go
from app.lib.logger import TraceLogger
from app.lib.secret_box import SecretBox
from app.lib.tracelog.trace import current_trace
from app.lib.utils import utc_now
from app.live import place_of
from app.mail import Mailer
from app.models.login_session import LoginSession
from app.models.user import User
from app.outbox import Outbox
from app.services.access_token_service import AccessTokens
from app.services.account_events import AccountEvents
from app.services.account_provider import AccountProvider
from app.services.account_service import LocalAccounts
from app.services.errors import EmailTaken, InvalidCredentials
from app.services.item_service import ItemService
from app.services.job_service import JobService
from app.services.oauth.flow import OAuth
from app.services.oauth.identities import Identities
from app.services.oauth.local import LocalOAuth
from app.services.oauth.supabase import SupabaseOAuth
from app.services.rate_limits import TOKEN_BY_IP, RateLimits
from app.services.second_factor import SecondFactor
from app.services.session_renewal import SessionRenewal, is_due
from app.services.session_service import SessionService
from app.services.supabase_accounts import SupabaseAccounts
from app.services.user_admin import UserAdmin
from app.templating import Viewer


async def get_settings(request: Request) -> Settings:
    """The app's settings."""
    return cast(Settings, request.app.state.settings)


async def get_database(request: Request) -> Database:
    """The app's one database."""
    return cast(Database, request.app.state.database)


async def get_logger(request: Request) -> TraceLogger:
    """The app's one trace logger; a test overrides it with `NullLogger` or `CSVOnlyLogger`."""
    return cast(TraceLogger, request.app.state.logger)


SettingsDep = Annotated[Settings, Depends(get_settings)]
DatabaseDep = Annotated[Database, Depends(get_database)]
LoggerDep = Annotated[TraceLogger, Depends(get_logger)]


async def get_session(request: Request) -> AsyncIterator[AsyncSession]:
    """A session whose transaction commits before the response is sent, or rolls back.

    Once somebody is recognized it acts for them.
    """
    database: Database = request.app.state.database
    async with database.session() as session:
        yield session


# Without the function's scope FastAPI would commit after the response: a client could then read
# its own write and not find it, and a failing commit would already have been answered with 200.
SessionDep = Annotated[AsyncSession, Depends(get_session, scope="function")]


async def session_service(session: SessionDep) -> SessionService:
    """Sign-in sessions, in this request's transaction."""
    return SessionService(session)


SessionServiceDep = Annotated[SessionService, Depends(session_service)]


def client_ip(request: Request) -> str:
    """The client's address, as far as the proxies in front are trusted."""
    return request.client.host if request.client else ""


def client_block(request: Request) -> str:
    """Whose tries are counted together: with IPv6 anybody has as many addresses as they like."""
    return block_of(client_ip(request))


async def account_events(request: Request, session: SessionDep) -> AccountEvents:
    """The audit trail, in this request's transaction."""
    return AccountEvents(session, ip=client_ip(request))


Events = Annotated[AccountEvents, Depends(account_events)]


async def current_login(
    request: Request, session: SessionDep, tasks: BackgroundTasks
) -> LoginSession | None:
    """The session of this browser. When due, Supabase is asked for it after the response."""
    if not (token := read_cookie(request, SESSION)):
        return None
    login = await SessionService(session).resolve(token)
    state = request.app.state
    if login is not None and state.supabase is not None and is_due(login, utc_now()):
        renewal = SessionRenewal(state.database, state.supabase, state.box, state.logger)
        tasks.add_task(renewal.renew, login.id)
    return login


CurrentLogin = Annotated[LoginSession | None, Depends(current_login)]


async def current_user(request: Request, login: CurrentLogin, session: SessionDep) -> User | None:
    """Who is signed in; tells the trace and the templates too.

    Under `/api` a bearer token says who it is, whatever the cookie says. Raises 401 for one that is
    not good, 403 where it may only read.
    """
    user = login.user if login else None
    if request.url.path.startswith("/api/") and (token := bearer_token(request)):
        user = await _bearer(request, session, token)
    if user is not None:
        await recognize(request, session, user)
    return user


async def recognize(request: Request, session: AsyncSession, user: User) -> None:
    """Tell the database, templates and the trace who is signed in."""
    act_as(session, user.id)
    # Templates of error pages are rendered after the transaction ended: they get plain values.
    request.state.viewer = Viewer(
        id=user.id,
        name=user.name,
        email=user.email,
        is_admin=user.role == "admin",
        since=place_of(utc_now()),
        jobs=await JobService(session, user.id).going_on() if read_cookie(request, JOBS) else 0,
    )
    if (trace := current_trace()) is not None:
        trace.user_id = user.id


def bearer_token(request: Request) -> str:
    """The token of the `Authorization` header, or an empty string."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def _bearer(request: Request, session: AsyncSession, token: str) -> User:
    limits: RateLimits = request.app.state.rate_limits
    events = await account_events(request, session)
    found = await AccessTokens(session, events).resolve(token)
    user = found.user if found else await _supabase_user(request, session, events, token)
    if user is None:
        await limits.hit(TOKEN_BY_IP, client_block(request))
        raise HTTPException(401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
    if found and found.scope == "read" and request.method not in {"GET", "HEAD"}:
        raise HTTPException(403, headers={"WWW-Authenticate": 'Bearer error="insufficient_scope"'})
    return user


async def _supabase_user(
    request: Request, session: AsyncSession, events: AccountEvents, token: str
) -> User | None:
    state = request.app.state
    if state.supabase_tokens is None:
        return None
    await let_go(session)
    if (claims := await state.supabase_tokens.claims(token)) is None:
        return None
    accounts = SupabaseAccounts(session, state.logger, state.supabase, events=events)
    try:
        return await accounts.bearer(token, claims)
    except (InvalidCredentials, EmailTaken, ValueError):
        return None


CurrentUser = Annotated[User | None, Depends(current_user)]


async def signed_in_user(user: CurrentUser) -> User:
    """The signed-in user; 401 without one, which a browser sees as the sign-in page."""
    if user is None:
        raise HTTPException(401)
    return user


SignedIn = Annotated[User, Depends(signed_in_user)]


class StaleSignIn(Exception):
    """The user should prove again who they are before this."""


async def fresh_user(user: SignedIn, login: CurrentLogin, sessions: SessionServiceDep) -> User:
    """The user, who signed in a moment ago; else they are asked again who they are."""
    if login is None or not sessions.is_fresh(login):
        raise StaleSignIn
    return user


Fresh = Annotated[User, Depends(fresh_user)]


async def admin_user(user: SignedIn) -> User:
    """The signed-in administrator; 401 without a user, 403 for anybody else."""
    if user.role != "admin":
        raise HTTPException(403)
    return user


Admin = Annotated[User, Depends(admin_user)]


async def administration(session: SessionDep, _admin: Admin) -> None:
    """For pages of administrators: from here on the session sees the rows of all users."""
    act_as_system(session)


async def get_box(request: Request) -> SecretBox:
    """What encrypts for this app."""
    return cast(SecretBox, request.app.state.box)


async def get_mailer(request: Request) -> Mailer:
    """Where mail goes."""
    return cast(Mailer, request.app.state.mailer)


async def get_rate_limits(request: Request) -> RateLimits:
    """The counts of what may be tried only so often."""
    return cast(RateLimits, request.app.state.rate_limits)


BoxDep = Annotated[SecretBox, Depends(get_box)]
MailerDep = Annotated[Mailer, Depends(get_mailer)]
Limits = Annotated[RateLimits, Depends(get_rate_limits)]


async def outbox(request: Request, tasks: BackgroundTasks) -> Outbox:
    """Letters that go out after the response."""
    return Outbox(request, tasks)


OutboxDep = Annotated[Outbox, Depends(outbox)]


def make_accounts(
    app: FastAPI, session: AsyncSession, events: AccountEvents, out: Outbox
) -> AccountProvider:
    """Where accounts are kept: with Supabase where the settings name it, else here."""
    state = app.state
    if state.supabase is not None:
        return SupabaseAccounts(session, state.logger, state.supabase, events=events)
    mail = state.mailer.delivers
    return LocalAccounts(
        session, state.logger, state.hasher, events=events, post=out.post, sends_mail=mail
    )


async def account_provider(
    request: Request, session: SessionDep, events: Events, out: OutboxDep
) -> AccountProvider:
    """Where accounts are kept, in this request's transaction."""
    return make_accounts(request.app, session, events, out)


Accounts = Annotated[AccountProvider, Depends(account_provider)]


async def oauth(
    request: Request,
    session: SessionDep,
    logger: LoggerDep,
    events: Events,
    accounts: Accounts,
    out: OutboxDep,
) -> OAuth:
    """Accounts at other services, in this request's transaction."""
    identities = Identities(session, events)
    if isinstance(accounts, SupabaseAccounts):
        return SupabaseOAuth(session, accounts, identities, request.app.state.supabase, logger)
    local = cast(LocalAccounts, accounts)
    clients = request.app.state.oauth_clients
    return LocalOAuth(session, local, identities, clients, logger, post=out.post)


async def second_factor(session: SessionDep, box: BoxDep, events: Events) -> SecondFactor:
    """Codes beside the password."""
    return SecondFactor(session, box, events)


async def access_tokens(session: SessionDep, events: Events) -> AccessTokens:
    """Personal access tokens."""
    return AccessTokens(session, events)


async def user_admin(
    session: SessionDep, logger: LoggerDep, events: Events, admin: Admin
) -> UserAdmin:
    """Other people's accounts, for administrators."""
    return UserAdmin(session, logger, events, admin.id)


OAuthDep = Annotated[OAuth, Depends(oauth)]
SecondFactorDep = Annotated[SecondFactor, Depends(second_factor)]
Tokens = Annotated[AccessTokens, Depends(access_tokens)]
UserAdminDep = Annotated[UserAdmin, Depends(user_admin)]


async def item_service(session: SessionDep, logger: LoggerDep, user: SignedIn) -> ItemService:
    """The signed-in user's items."""
    return ItemService(session, logger, user.id)


Items = Annotated[ItemService, Depends(item_service)]
