"""`manage.py pictures` makes the pictures that the documents show."""

from pathlib import Path

import pytest

from benchmarks import made_up_log
from commands import pictures
from tests.docs.documents import documents, read
from tests.docs.test_documents import PICTURE_BYTES


@pytest.mark.browser
@pytest.mark.usefixtures("chromium")
def test_they_are_all_made_and_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "IMAGES", tmp_path)
    monkeypatch.setattr(pictures, "_MADE_UP_REQUESTS", 500)
    monkeypatch.setattr(made_up_log, "_MANY_STEPS", 500)

    assert pictures.main(["--language", "en"]) == 0

    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    shown = {Path(link).name for path in documents() for link in read(path).links}
    assert {name for name in shown if name.endswith(".en.webp")} <= made.keys()
    for content in made.values():
        assert content[8:16] == b"WEBPVP8X"
        size = [int.from_bytes(content[at : at + 3], "little") + 1 for at in (24, 27)]
        assert size == [1280, 800]
        assert len(content) < PICTURE_BYTES


def test_the_other_language_has_the_same_ones() -> None:
    names = {path.name for path in pictures.IMAGES.glob("*.en.webp")}
    assert names
    assert names == {
        path.name.replace(".ja.", ".en.") for path in pictures.IMAGES.glob("*.ja.webp")
    }
