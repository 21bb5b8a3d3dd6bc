"""An app that is recorded, and its client."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from app.lib.logger import CSVOnlyLogger
from app.lib.tracelog.capture.middleware import CaptureMiddleware, ExceptionNote
from tests.lib.tracelog.capture.client import Client


@pytest.fixture
def log_dir(tmp_path: Path) -> Path:
    return tmp_path / "logs"


@pytest.fixture
def logger(log_dir: Path) -> Iterator[CSVOnlyLogger]:
    logger = CSVOnlyLogger(log_dir)
    yield logger
    # Whatever a request did, the log has lost none of its rows.
    assert logger.recorder.tally.totals().dropped == 0
    logger.close()


@pytest.fixture
def app() -> FastAPI:
    return FastAPI()


@pytest.fixture
def client(app: FastAPI, logger: CSVOnlyLogger, log_dir: Path) -> Client:
    app.add_middleware(ExceptionNote)
    inner: list[Any] = []

    async def call(*args: Any) -> None:
        if not inner:
            inner.append(CaptureMiddleware(app.build_middleware_stack(), logger.recorder))
        await inner[0](*args)

    return Client(call, log_dir)
