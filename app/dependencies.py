"""What a route may ask for, as named types."""

from collections.abc import AsyncIterator
from typing import Annotated, cast

from fastapi import Depends, HTTPException, Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.config import Settings
from app.cookies import JOBS, SESSION, read_cookie
from app.database import Database
from app.lib.logger import TraceLogger
from app.lib.tracelog.trace import current_trace
from app.models.user import User
from app.services.account_service import AccountProvider, LocalAccounts
from app.services.item_service import ItemService
from app.services.job_service import JobService
from app.services.password_hasher import PasswordHasher
from app.services.session_service import SessionService
from app.templating import Viewer


def get_settings(request: Request) -> Settings:
    """The app's settings."""
    return cast(Settings, request.app.state.settings)


def get_database(request: Request) -> Database:
    """The app's one database."""
    return cast(Database, request.app.state.database)


def get_logger(request: Request) -> TraceLogger:
    """The app's one trace logger; a test overrides it with `NullLogger` or `CSVOnlyLogger`."""
    return cast(TraceLogger, request.app.state.logger)


SettingsDep = Annotated[Settings, Depends(get_settings)]
DatabaseDep = Annotated[Database, Depends(get_database)]
LoggerDep = Annotated[TraceLogger, Depends(get_logger)]


async def get_session(database: DatabaseDep) -> AsyncIterator[AsyncSession]:
    """A session whose transaction commits before the response is sent, or rolls back."""
    async with database.session() as session:
        yield session


# Without the function's scope FastAPI would commit after the response: a client could then read
# its own write and not find it, and a failing commit would already have been answered with 200.
SessionDep = Annotated[AsyncSession, Depends(get_session, scope="function")]


def session_service(session: SessionDep) -> SessionService:
    """Sign-in sessions, in this request's transaction."""
    return SessionService(session)


SessionServiceDep = Annotated[SessionService, Depends(session_service)]


async def current_user(
    request: Request, session: SessionDep, sessions: SessionServiceDep
) -> User | None:
    """Who is signed in; tells the trace and the templates too."""
    token = read_cookie(request, SESSION)
    user = await sessions.resolve(token) if token else None
    if user is None:
        return None
    # Templates of error pages are rendered after the transaction ended: they get plain values.
    request.state.viewer = Viewer(
        id=user.id,
        name=user.name,
        email=user.email,
        is_admin=user.role == "admin",
        jobs=await JobService(session, user.id).going_on() if read_cookie(request, JOBS) else 0,
    )
    if (trace := current_trace()) is not None:
        trace.user_id = user.id
    return user


CurrentUser = Annotated[User | None, Depends(current_user)]


async def signed_in_user(user: CurrentUser) -> User:
    """The signed-in user; 401 without one, which a browser sees as the sign-in page."""
    if user is None:
        raise HTTPException(401)
    return user


SignedIn = Annotated[User, Depends(signed_in_user)]


async def admin_user(user: SignedIn) -> User:
    """The signed-in administrator; 401 without a user, 403 for anybody else."""
    if user.role != "admin":
        raise HTTPException(403)
    return user


Admin = Annotated[User, Depends(admin_user)]


def get_hasher(request: Request) -> PasswordHasher:
    """The app's one password hasher: it limits how many hashes are computed at once."""
    return cast(PasswordHasher, request.app.state.hasher)


def account_provider(
    session: SessionDep,
    logger: LoggerDep,
    hasher: Annotated[PasswordHasher, Depends(get_hasher)],
) -> AccountProvider:
    """Where accounts are kept."""
    return LocalAccounts(session, logger, hasher)


Accounts = Annotated[AccountProvider, Depends(account_provider)]


def item_service(session: SessionDep, logger: LoggerDep, user: SignedIn) -> ItemService:
    """The signed-in user's items."""
    return ItemService(session, logger, user.id)


Items = Annotated[ItemService, Depends(item_service)]
