"""A logger that delivers into a file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.lib.logger import EnhancedCSVLogger


@pytest.fixture
def logger(tmp_path: Path) -> Iterator[EnhancedCSVLogger]:
    logger = EnhancedCSVLogger(base_path=tmp_path)
    yield logger
    logger.close()
