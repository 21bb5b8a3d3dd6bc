"""Makes what is shown of a picture. Run as a program of its own, whose end harms nobody.

It reads the picture on standard input, and writes one line of JSON, `{"width", "height", "files":
[[name, bytes], …]}` or `{"problem": code}`, and the files after it. Its argument is the most pixels
it may decode. It knows nothing of the app, its settings and its secrets.
"""

import json
import os
import sys
import warnings
from contextlib import suppress
from io import BytesIO
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL import Image

LARGE: Final = 2048
THUMB: Final = 480
"""Longest sides."""

FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "AVIF")
CONTENT_TYPES: Final = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "avif": "image/avif",
}

SECONDS: Final = 60
_BYTES: Final = 268_435_456
_BYTES_A_PIXEL: Final = 12


class Unusable(Exception):
    """The picture cannot be decoded; the message is the problem's code."""


def main() -> None:
    max_pixels = int(sys.argv[1])
    _limit(max_pixels)
    data = sys.stdin.buffer.read()
    answer: dict[str, object]
    files: list[tuple[str, bytes]] = []
    try:
        width, height, files = encode(data, max_pixels)
    except MemoryError:
        answer = {"problem": "too_hard"}
    except Unusable as error:
        answer = {"problem": str(error)}
    else:
        sizes = [[name, len(content)] for name, content in files]
        answer = {"width": width, "height": height, "files": sizes}
    output = sys.stdout.buffer
    output.write(json.dumps(answer).encode() + b"\n")
    for _, content in files:
        output.write(content)
    output.flush()


def _limit(max_pixels: int) -> None:
    """Give up memory, time and files beyond what a picture needs, where the system can."""
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    memory = _BYTES + max_pixels * _BYTES_A_PIXEL
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (most, most))
    os.nice(10)


def encode(data: bytes, max_pixels: int) -> tuple[int, int, list[tuple[str, bytes]]]:
    """Width and height of the large one, and the files by name. Raises `Unusable`.

    Of an animated picture the first frame is taken. Nothing of the file is left but its pixels, in
    sRGB and the right way up.
    """
    from PIL import Image, ImageOps, features

    Image.MAX_IMAGE_PIXELS = max_pixels
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        image = Image.open(BytesIO(data), formats=FORMATS)
        image.draft(None, (LARGE, LARGE))  # a JPEG is read in the size that is needed
        image.load()
        profile = image.info.get("icc_profile")
        kind = image.format
        picture = _plain(image)
        picture.thumbnail((LARGE, LARGE), Image.Resampling.LANCZOS)
        picture = _in_srgb(picture, profile)
        picture.info = {"exif": image.getexif().tobytes()} if image.getexif() else {}
        picture = ImageOps.exif_transpose(picture)
        picture.info = {}
    except MemoryError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Unusable("too_many_pixels") from None
    # Decoders of hostile files fail in many ways; all of them mean the same.
    except Exception as error:
        raise Unusable("broken") from error
    thumb = picture.copy()
    thumb.thumbnail((THUMB, THUMB), Image.Resampling.LANCZOS)
    # Drawn lines and letters want every pixel's colour; photographs do not.
    subsampling = 0 if kind in {"PNG", "GIF"} else 2
    files = [_safest("large", picture, quality=86, subsampling=subsampling)]
    if features.check("avif"):
        files.append(("thumb.avif", _saved(thumb, "AVIF", quality=60, speed=7, max_threads=1)))
    files.append(("thumb.webp", _saved(thumb, "WEBP", quality=76)))
    files.append(_safest("thumb", thumb, quality=80, subsampling=subsampling))
    return picture.width, picture.height, files


def _plain(image: "Image.Image") -> "Image.Image":
    """Pixels that can be made smaller: no palette, and 8 bits a channel."""
    if image.mode.startswith("I;16"):
        return image.point(lambda value: value * (1 / 257)).convert("L")
    if image.mode in {"I", "F"}:
        return image.convert("L")
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode in {"L", "RGB", "CMYK"} else image.convert("RGB")


def _in_srgb(image: "Image.Image", profile: bytes | None) -> "Image.Image":
    """The same colours as the file's profile means, in the one that all screens know.

    Without transparency where nothing shows through.
    """
    from PIL import Image, ImageCms

    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        image = image.convert("RGB")
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    converted: Image.Image | None = None
    if profile:
        try:
            meant = ImageCms.ImageCmsProfile(BytesIO(profile))
            converted = ImageCms.profileToProfile(
                image, meant, ImageCms.createProfile("sRGB"), outputMode=mode
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            converted = None  # the profile is broken, or of other colours: as if there were none
    return converted or image.convert(mode)


def _safest(stem: str, image: "Image.Image", **options: int) -> tuple[str, bytes]:
    """In a format that every program reads: JPEG, or PNG where something shows through."""
    if image.mode == "RGBA":
        return f"{stem}.png", _saved(image, "PNG", optimize=True)
    return f"{stem}.jpg", _saved(image, "JPEG", optimize=True, progressive=True, **options)


def _saved(image: "Image.Image", kind: str, **options: int) -> bytes:
    output = BytesIO()
    image.save(output, kind, **options)
    return output.getvalue()


if __name__ == "__main__":
    main()
