"""Where faults are played through."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.scene import Scene


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A scene with a SQLite file as its store."""
    scene = Scene(tmp_path)
    yield scene
    scene.end()
