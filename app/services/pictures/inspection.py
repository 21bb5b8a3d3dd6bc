"""Whether a file is a picture that can be taken, from its first bytes, before it is decoded."""

import re
import unicodedata
from functools import cache
from importlib import import_module
from pathlib import PurePosixPath
from types import ModuleType
from typing import IO, Final

from app.models.picture import NAME_LENGTH
from app.services.pictures.encoding import FORMATS
from app.services.pictures.errors import PictureRefused

_READERS: Final = ("Avif", "Gif", "Jpeg", "Png", "WebP")


@cache
def _pillow() -> ModuleType:
    """Pillow, loaded when the first picture comes, since it takes some memory.

    With the readers that are wanted: without any, it would load those of all formats there are.
    """
    from PIL import Image

    for name in _READERS:
        import_module(f"PIL.{name}ImagePlugin")
    Image.MAX_IMAGE_PIXELS = None  # they are counted here
    return Image


def size_of(file: IO[bytes], *, size: int, max_bytes: int, max_pixels: int) -> tuple[int, int]:
    """Width and height of a picture, which is not decoded for that. Raises `PictureRefused`.

    What the file is called and said to be does not count.
    """
    if size == 0:
        raise PictureRefused("empty")
    if size > max_bytes:
        raise PictureRefused("too_many_bytes", limit=max_bytes)
    file.seek(0)
    try:
        with _pillow().open(file, formats=FORMATS) as image:
            width, height = image.size
    # Readers of hostile files fail in many ways; all of them mean that it is none of ours.
    except Exception:  # noqa: BLE001
        raise PictureRefused("not_a_picture") from None
    finally:
        file.seek(0)
    if width * height > max_pixels:
        raise PictureRefused("too_many_pixels", limit=max_pixels)
    return width, height


def clean_name(name: str) -> str:
    """A file's name as it may be shown: no folders, no control or direction characters."""
    last = PurePosixPath(unicodedata.normalize("NFC", name).replace("\\", "/")).name
    shown = "".join(char for char in last if unicodedata.category(char)[0] != "C")
    return re.sub(r"\s+", " ", shown).strip()[:NAME_LENGTH]
