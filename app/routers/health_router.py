"""Whether the app lives, and whether it is ready for work."""

import asyncio
import logging

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.dependencies import DatabaseDep, LoggerDep

log = logging.getLogger(__name__)
router = APIRouter(include_in_schema=False)

ANSWER_SECONDS = 5.0


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
    status = getattr(logger, "status", None)  # loggers without delivery have none
    content = {"database": answers, "trace_log": status() if status else None}
    return JSONResponse(content, 200 if answers else 503)
