"""What the templates of pictures are given."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from fastapi import Request

from app.config import Settings
from app.models.picture import ALT_LENGTH, Picture
from app.routers.picture_texts import megapixels, refusal
from app.schemas.picture import PictureState
from app.services.pictures.encoding import CONTENT_TYPES, FORMATS, THUMB
from app.services.pictures.picture_service import PictureService, ShownPicture
from app.templating import Template, language_of

_ACCEPT: Final = ",".join(f"image/{name.lower()}" for name in FORMATS)


@dataclass(frozen=True, slots=True)
class PictureTile:
    """One picture on the page. `sources` are (type, file), the last one for all browsers."""

    picture: Picture
    state: PictureState
    number: int
    is_last: bool
    problem: str
    sources: Sequence[tuple[str, str]]
    large: str
    width: int
    height: int
    """Of the small one."""

    @property
    def url(self) -> str:
        return f"/items/{self.picture.item_id}/pictures/{self.picture.id}"


@dataclass(frozen=True, slots=True)
class PictureSection:
    """The part of an item's page that is about its pictures."""

    item_id: int
    tiles: Sequence[PictureTile]
    max_bytes: int
    most: str
    megapixels: str
    accept: str = _ACCEPT
    alt_length: int = ALT_LENGTH


@dataclass(frozen=True, slots=True)
class SectionPartial(Template):
    template: ClassVar[str] = "pictures/_pictures.html"
    pictures: PictureSection


@dataclass(frozen=True, slots=True)
class TilePartial(Template):
    template: ClassVar[str] = "pictures/_tile.html"
    tile: PictureTile
    alt_length: int = ALT_LENGTH


@dataclass(frozen=True, slots=True)
class GonePartial(Template):
    template: ClassVar[str] = "pictures/_gone.html"


async def section(request: Request, service: PictureService, item_id: int) -> PictureSection:
    """What there is to show of an item's pictures."""
    language = language_of(request)
    settings: Settings = request.app.state.settings
    return PictureSection(
        item_id,
        tiles(request, await service.of_item(item_id)),
        settings.picture_max_bytes,
        language.file_size(settings.picture_max_bytes),
        megapixels(language, settings.picture_max_pixels),
    )


def tiles(request: Request, shown: Sequence[ShownPicture]) -> list[PictureTile]:
    """Pictures as they are shown, numbered from 1."""
    return [
        _tile(request, one, number, is_last=number == len(shown))
        for number, one in enumerate(shown, 1)
    ]


def _tile(request: Request, shown: ShownPicture, number: int, *, is_last: bool) -> PictureTile:
    picture = shown.picture
    problem = picture.problem or {}
    shrunk = min(1, THUMB / max(picture.width, picture.height, 1))
    thumbs = [name for name in picture.files if name.startswith("thumb.")]
    return PictureTile(
        picture,
        shown.state,
        number,
        is_last,
        refusal(language_of(request), problem["code"], problem["values"]) if problem else "",
        [(CONTENT_TYPES[name.rpartition(".")[2]], name) for name in thumbs],
        next((name for name in picture.files if name.startswith("large.")), ""),
        max(round(picture.width * shrunk), 1),
        max(round(picture.height * shrunk), 1),
    )
