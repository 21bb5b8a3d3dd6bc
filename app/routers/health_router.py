"""Whether the app lives, and whether it is ready for work."""

import asyncio
import logging
from dataclasses import asdict
from typing import Final

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from app.dependencies import DatabaseDep, LoggerDep
from app.lib.logger import EnhancedCSVLogger, TraceLogger

log = logging.getLogger(__name__)
router = APIRouter(include_in_schema=False)

ANSWER_SECONDS = 5.0

# Anybody may ask, and an error's text names the log database.
_PRIVATE: Final = ("last_error", "leader_pid", "other_stores")


@router.get("/healthz")
async def healthz() -> PlainTextResponse:
    """The process answers. Asks nothing else: a platform restarts what fails here."""
    return PlainTextResponse("ok")


@router.get("/readyz")
async def readyz(database: DatabaseDep, logger: LoggerDep) -> JSONResponse:
    """200 when the database answers, else 503; the trace log's state is for information."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS), database.session() as session:
            await session.execute(text("SELECT 1"))
        answers = True
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        log.warning("Not ready, the database does not answer: %s", type(error).__name__)
        answers = False
    content = {"database": answers, "trace_log": await run_in_threadpool(_trace_log, logger)}
    return JSONResponse(content, 200 if answers else 503)


def _trace_log(logger: TraceLogger) -> dict[str, object] | None:
    """The log's account; None for a logger that delivers nothing."""
    if not isinstance(logger, EnhancedCSVLogger):
        return None
    return {name: value for name, value in asdict(logger.status()).items() if name not in _PRIVATE}
