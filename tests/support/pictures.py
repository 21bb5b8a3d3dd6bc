"""Picture files as cameras, programs and attackers make them, and pictures that are ready."""

import io
import struct
import zlib
from functools import cache
from typing import Any

from fastapi import FastAPI
from PIL import Image, PngImagePlugin

from app.lib.utils import utc_now
from app.models.picture import Picture, new_key
from app.services.pictures.storage import picture_storage


def png() -> bytes:
    """A plain PNG, with a comment in it."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "secret-comment")
    return saved(Image.new("RGB", (60, 40), "red"), "PNG", pnginfo=info)


@cache
def photo() -> bytes:
    """A JPEG that lies on its side, with the place where it was taken and a name in its EXIF."""
    image = Image.new("RGB", (80, 40), "white")
    image.paste((200, 0, 0), (0, 0, 40, 40))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    exif[0x010F] = "secret-camera"
    exif.get_ifd(0x8825)[1] = "N"
    return saved(image, "JPEG", exif=exif, comment=b"secret-comment", quality=95)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    output = io.BytesIO()
    image.save(output, kind, **options)
    return output.getvalue()


def bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """A PNG of some hundred bytes that says it has 900 million pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(kind, data)
        for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(99))), (b"IEND", b""))
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    checked = kind + data
    return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))


async def add_picture(app: FastAPI, item_id: int, **values: Any) -> Picture:
    """A picture of an item, as a job has left it."""
    now = utc_now()
    row = {
        "item_id": item_id,
        "key": new_key(now),
        "name": "red.png",
        "alt": "",
        "position": 1,
        "status": "ready",
        "files": ["large.jpg", "thumb.webp", "thumb.jpg"],
        "width": 60,
        "height": 40,
        "job_id": "",
        "created_at": now,
    }
    picture = Picture(**row | values)
    storage = picture_storage(app.state.settings)
    for name in picture.files:
        storage.write(picture.key, name, io.BytesIO(name.encode()), "image/jpeg")
    async with app.state.database.system_session() as session:
        session.add(picture)
    return picture
