"""`manage.py pictures` makes the pictures that the documents show."""

import struct
from pathlib import Path

import pytest

from commands import pictures
from tests.docs.documents import documents, japanese, read
from tests.docs.test_documents import PICTURE_BYTES


@pytest.mark.browser
@pytest.mark.usefixtures("chromium")
def test_they_are_all_made_and_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "IMAGES", tmp_path)

    assert pictures.main([]) == 0

    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    everywhere = [path for english in documents() for path in (english, japanese(english))]
    shown = {Path(link).name for path in everywhere for link in read(path).links}
    assert {name for name in shown if name.endswith(".png")} <= made.keys()
    for content in made.values():
        assert struct.unpack(">II", content[16:24]) == (1280, 800)
        assert len(content) < PICTURE_BYTES
