"""What is left of a picture when it is encoded anew, in the process that does it."""

import io
from collections.abc import Callable

import pytest
from PIL import Image, ImageCms

from app.services.pictures import child
from app.services.pictures.child import Encoded, encode_apart
from app.services.pictures.encoding import LARGE, THUMB
from app.services.pictures.errors import PictureRefused
from tests.support.pictures import bomb, photo, png, saved

PIXELS = 25_000_000


def encoded(data: bytes, look: Callable[[], None] = lambda: None) -> Encoded:
    return encode_apart(data, PIXELS, look)


def opened(made: Encoded, name: str) -> Image.Image:
    return Image.open(io.BytesIO(made.files[name]))


def test_a_photograph_stands_upright_and_tells_nothing() -> None:
    made = encoded(photo() + b"<script>alert(1)</script>")
    assert list(made.files) == ["large.jpg", "thumb.avif", "thumb.webp", "thumb.jpg"]
    assert (made.width, made.height) == (40, 80)
    for name, content in made.files.items():
        image = opened(made, name)
        assert image.size == (40, 80)
        red, green, _ = image.convert("RGB").getpixel((20, 10))  # type: ignore[misc]
        assert red > 180 > green, "what was on the left is at the top"
        assert b"secret" not in content
        assert b"<script>" not in content
        assert not set(image.info) & {"exif", "comment", "icc_profile", "xmp", "photoshop"}
        assert not image.getexif()


def test_large_ones_are_made_smaller() -> None:
    made = encoded(saved(Image.new("RGB", (LARGE * 2, 1000), "blue"), "JPEG"))
    assert (made.width, made.height) == (LARGE, 500)
    assert opened(made, "thumb.webp").size == (THUMB, 117)


def test_what_shines_through_stays() -> None:
    made = encoded(saved(Image.new("RGBA", (50, 50), (255, 0, 0, 0)), "PNG"))
    assert list(made.files) == ["large.png", "thumb.avif", "thumb.webp", "thumb.png"]
    for name in made.files:
        assert opened(made, name).convert("RGBA").getpixel((5, 5))[3] == 0  # type: ignore[index]


def test_of_an_animation_the_first_frame_stays() -> None:
    frames = [Image.new("RGB", (30, 30), colour) for colour in ("lime", "red", "blue")]
    made = encoded(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    image = opened(made, "thumb.webp")
    assert getattr(image, "n_frames", 1) == 1
    assert image.convert("RGB").getpixel((15, 15))[1] > 200  # type: ignore[index]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "CMYK"])
def test_all_kinds_of_pixels_become_colours(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    made = encoded(saved(Image.new(mode, (20, 20), 32_768 if mode == "I;16" else 0), kind))
    shown = opened(made, "thumb.webp")
    assert shown.mode in {"RGB", "RGBA"}
    if mode == "I;16":
        assert abs(shown.getpixel((10, 10))[0] - 127) < 5  # type: ignore[index]


def test_colours_of_another_profile_are_translated() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (lab, b"no profile at all"):
        made = encoded(saved(Image.new("RGB", (20, 20), "red"), "PNG", icc_profile=profile))
        assert opened(made, "large.jpg").getpixel((10, 10))[0] > 245  # type: ignore[index]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (photo()[:400], "broken"),
        (png()[:-40], "broken"),
        (png()[:40] + bytes(60), "broken"),
        (b"<svg></svg>", "broken"),
        (b"", "broken"),
        (bomb(), "too_many_pixels"),
        (bomb(6000, 5000), "too_many_pixels"),
        (bomb(3000, 3000), "broken"),
    ],
)
def test_damaged_and_hostile_files_end_in_a_reason(data: bytes, code: str) -> None:
    with pytest.raises(PictureRefused) as refused:
        encoded(data)
    assert refused.value.code == code


def test_an_encoder_that_falls_over_takes_nobody_along(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = child._PROGRAM.with_name("nowhere.py")
    monkeypatch.setattr(child, "_PROGRAM", program)
    with pytest.raises(PictureRefused) as refused:
        encoded(png())
    assert refused.value.code == "too_hard"


def test_who_looks_on_can_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_LOOK_SECONDS", 0.001)

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        encoded(saved(Image.new("RGB", (4000, 4000)), "PNG"), stop)
