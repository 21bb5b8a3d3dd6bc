"""For whom a transaction acts: PostgreSQL's row-level security shows it that user's rows alone.

A session acts for nobody, and sees no owned row, until it is told whom it acts for. What has to
look at the rows of all users says so: `as_system`, `@system_work`, or `Database.system_session`.
SQLite has none of this; there the services' own filters are the only ones.
"""

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection, Engine, event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from app.product import SLUG


def role_name(slug: str, whose: str) -> str:
    """What a role is called: a name that needs no quotes in SQL."""
    return f"{slug.replace('-', '_')}_{whose}"


USER_ROLE: Final = role_name(SLUG, "user")
"""Sees the rows of `app.user_id`."""
SYSTEM_ROLE: Final = role_name(SLUG, "system")
"""Sees all rows, by a policy: it cannot pass over row-level security either."""

_ACTOR: Final = "acting_as"
_ACTING: Final = "acting"
_OF_SESSION: Final = "session_info"
# LOCAL, so that it ends with the transaction: poolers hand the connection on to others.
ACT: Final = "SELECT set_config('role', %s, true), set_config('app.user_id', %s, true)"

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Actor:
    """A role of the database, and the user whose rows it sees."""

    role: str
    user_id: int | None = None


NOBODY: Final = Actor(USER_ROLE)
SYSTEM: Final = Actor(SYSTEM_ROLE)


def act_as(session: AsyncSession, user_id: int) -> None:
    """From the next statement on, `session` sees the rows of this user."""
    session.info[_ACTOR] = Actor(USER_ROLE, user_id)


def act_as_system(session: AsyncSession) -> None:
    """From the next statement on, `session` sees all rows."""
    session.info[_ACTOR] = SYSTEM


@contextmanager
def as_system(session: AsyncSession) -> Iterator[None]:
    """`session` sees all rows meanwhile. What is added to it must be flushed inside."""
    before = session.info.get(_ACTOR, NOBODY)
    session.info[_ACTOR] = SYSTEM
    try:
        yield
    finally:
        session.info[_ACTOR] = before


class _HasSession(Protocol):
    _session: AsyncSession


S = TypeVar("S", bound=_HasSession)


def system_work(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """A service's method that looks beyond one user, such as to find out who somebody is."""

    async def work(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with as_system(self._session):
            return await method(self, *args, **kwargs)

    return update_wrapper(work, method)


def engine_for(engine: Engine, actor: Actor) -> Engine:
    """The same engine, whose transactions act for `actor`."""
    return engine.execution_options(**{_ACTOR: actor})


class ActingSession(Session):
    """Tells its connection where it keeps whom it acts for."""


@event.listens_for(ActingSession, "after_begin")
def _link(session: Session, _transaction: object, connection: Connection) -> None:
    connection.info[_OF_SESSION] = session.info


def enforce(engine: Engine) -> None:
    """Have each transaction of a PostgreSQL engine act for whom it is meant to, and nobody else."""

    @event.listens_for(engine, "begin")
    @event.listens_for(engine, "commit")
    @event.listens_for(engine, "rollback")
    def forget(connection: Connection) -> None:
        if connection.invalidated:
            return  # it was lost, and what was set on it too
        connection.info.pop(_ACTING, None)
        connection.info.pop(_OF_SESSION, None)

    @event.listens_for(engine, "before_cursor_execute")
    def act(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("ROLLBACK TO"):
            # That takes back what was set behind the savepoint, and is all that may come now.
            connection.info.pop(_ACTING, None)
            return
        of_engine = connection.get_execution_options().get(_ACTOR, NOBODY)
        actor: Actor = connection.info.get(_OF_SESSION, {}).get(_ACTOR, of_engine)
        if connection.info.get(_ACTING) == actor:
            return
        connection.info[_ACTING] = actor
        user_id = "" if actor.user_id is None else str(actor.user_id)
        connection.exec_driver_sql(ACT, (actor.role, user_id))
