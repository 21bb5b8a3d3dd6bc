"""How long a statement of PostgreSQL may take, and which of its answers mean that it is away."""

from typing import Any, Final

from sqlalchemy import Engine, ExceptionContext, event

from app.acting import enforce

_READ_ONLY: Final = "25006"


def set_up_postgres(engine: Engine, *, seconds: float | None) -> None:
    """Have the connections of a PostgreSQL engine behave as this app expects.

    `seconds` is the most that a statement may take.
    """
    enforce(engine)
    wanted = [
        # Room for the places of some million matches of a search: without it PostgreSQL would
        # remember only their pages, and look at each row of them again.
        "SET work_mem = '32MB'",
        # Compiling takes longer than any query here.
        "SET jit = off",
    ]
    if seconds is not None:
        wanted.append(f"SET statement_timeout = {round(seconds * 1000)}")

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("; ".join(wanted))
        cursor.close()
        connection.commit()

    @event.listens_for(engine, "handle_error")
    def drop(context: ExceptionContext) -> None:
        # The server is no longer the one to write to: a new connection finds the one that is.
        if getattr(context.original_exception, "sqlstate", None) == _READ_ONLY:
            context.is_disconnect = True
