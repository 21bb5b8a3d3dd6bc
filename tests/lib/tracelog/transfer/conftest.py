"""Where the logger of the source document writes."""

from pathlib import Path

import pytest

from tests.lib.tracelog.transfer.loading import SourceLogger


@pytest.fixture
def source(tmp_path: Path) -> SourceLogger:
    folder = tmp_path / "theirs"
    folder.mkdir()
    return SourceLogger(folder)
