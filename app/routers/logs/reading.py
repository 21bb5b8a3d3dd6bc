"""What the pages of the trace log ask with, and what they say when there is no answer."""

import re
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from app.dependencies import LoggerDep
from app.lib.logger import EnhancedCSVLogger
from app.lib.tracelog.store.store import (
    QueryFailed,
    StoreError,
    StoreRefused,
    StoreSchemaMissing,
)
from app.lib.tracelog.trace import current_trace
from app.schemas.log import LogState
from app.services.logs.log_state import log_state
from app.services.logs.store_reader import StoreReader
from app.templating import language_of

RETRY: Final = {"Retry-After": "5"}
SWAP_ANYWAY: Final = {"HX-Reswap": "outerHTML"}
"""Of a failed request the page's script keeps what is there, unless the response says otherwise."""

TRACE_ID: Final = re.compile(r"[!-~]{1,100}")


class NoStore(StoreError):
    """The app was made with a logger that delivers to no store."""


async def store_reader(logger: LoggerDep) -> StoreReader | None:
    """Questions to the store; None where the app keeps its log in files only, or not at all."""
    return StoreReader(logger.store) if isinstance(logger, EnhancedCSVLogger) else None


def there(reader: StoreReader | None) -> StoreReader:
    """The reader. Raises `NoStore`, which the page shows as it shows a store that is down."""
    if reader is None:
        raise NoStore("Its logger is no EnhancedCSVLogger.")
    return reader


async def current_state(logger: LoggerDep) -> LogState | None:
    """What became of this host's rows; None where nothing is delivered."""
    if not isinstance(logger, EnhancedCSVLogger):
        return None
    return await run_in_threadpool(log_state, logger)


ReaderDep = Annotated[StoreReader | None, Depends(store_reader)]
StateDep = Annotated[LogState | None, Depends(current_state)]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why there is no answer from the store, in words. `detail` is what the store said."""

    title: str
    advice: str
    detail: str
    status: int = 503


def problem_of(request: Request, error: StoreError) -> Problem:
    """An error in the reader's words; the trace of this request shows it too."""
    _ = language_of(request).gettext
    if (trace := current_trace()) is not None:
        trace.exception = error  # the trace log shows it as it shows an unhandled one
    match error:
        case NoStore():
            title = _("This app delivers its log to no database.")
            advice = _("What its logger records is in the CSV files on the server.")
        case StoreRefused():
            title = _("The log database refuses access.")
            advice = _(
                "Check TURSO_TOKEN and the limits of your plan. Until then everything is kept in "
                "the CSV files on the server, and delivered afterwards."
            )
        case StoreSchemaMissing():
            title = _("The log database has no tables yet.")
            advice = _("They are made with the first delivery. Please try again in a few seconds.")
        case QueryFailed():
            title = _("The log database could not answer this question.")
            advice = _("Ask for less at once: another filter, or a full trace ID.")
        case _:
            title = _("The log database is not answering.")
            advice = _(
                "Nothing is lost: everything is kept in the CSV files on the server, and delivered "
                "as soon as the database answers. Please try again in a few seconds."
            )
    return Problem(title, advice, str(error))
