"""What is taken for a picture, and what is not, whatever it is called."""

import io

import pytest
from PIL import Image

from app.services.pictures.errors import PictureRefused
from app.services.pictures.inspection import clean_name, size_of
from tests.support.pictures import bomb, photo, png, saved

MOST_BYTES, MOST_PIXELS = 1_000_000, 1_000_000


def look(data: bytes) -> tuple[int, int]:
    file = io.BytesIO(data)
    found = size_of(file, size=len(data), max_bytes=MOST_BYTES, max_pixels=MOST_PIXELS)
    assert file.tell() == 0
    return found


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
def test_pictures_are_known_by_their_content(kind: str) -> None:
    assert look(saved(Image.new("RGB", (60, 40)), kind)) == (60, 40)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
            "not_a_picture",
        ),
        (b"<!doctype html><script>alert(1)</script>", "not_a_picture"),
        (b"%PDF-1.7", "not_a_picture"),
        (b"\x00\x00\x00\x18ftypheic", "not_a_picture"),
        (png()[:20], "not_a_picture"),
        (saved(Image.new("RGB", (60, 40)), "BMP"), "not_a_picture"),
        (saved(Image.new("RGB", (60, 40)), "TIFF"), "not_a_picture"),
        (bomb(), "too_many_pixels"),
        (bomb(1_000_001, 1), "too_many_pixels"),
        (bomb(2**31 - 1, 2**31 - 1), "too_many_pixels"),
        (saved(Image.new("1", (1200, 1000)), "GIF"), "too_many_pixels"),
        (b"x" * (MOST_BYTES + 1), "too_many_bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_none_is_refused_with_a_reason(data: bytes, code: str) -> None:
    with pytest.raises(PictureRefused) as refused:
        look(data)
    assert refused.value.code == code


def test_a_picture_with_something_behind_it_is_a_picture() -> None:
    assert look(photo() + b"<script>alert(1)</script>") == (80, 40)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("花.jpg", "花.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\hana\\a.png", "a.png"),
        ("a\x00\r\nb\u202egnp.exe", "abgnp.exe"),
        ("..", ".."),
        ("", ""),
        ("x" * 300, "x" * 100),
        ("a \t\u3000 b", "a b"),
    ],
)
def test_names_are_shown_without_folders_and_tricks(name: str, shown: str) -> None:
    assert clean_name(name) == shown
