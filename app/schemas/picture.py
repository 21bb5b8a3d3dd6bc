"""Pictures as JSON, and what can be changed of one."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.models.picture import ALT_LENGTH
from app.schemas.numbers import WholeNumber
from app.schemas.text import no_control_characters, one_line

PictureState = Literal["waiting", "stopped", "ready", "failed"]

AltText = Annotated[str, StringConstraints(max_length=ALT_LENGTH), one_line, no_control_characters]


class PictureFile(BaseModel):
    """A file that was made of a picture."""

    name: str
    type: str
    url: str


class PictureProblem(BaseModel):
    """Why a file is no picture: a code, and what belongs to it."""

    code: str
    values: dict[str, int]


class PictureOut(BaseModel):
    """A picture of an item."""

    id: int
    name: str = Field(description="Of the file that was uploaded.")
    alt: str = Field(description="What is to be seen, for those who do not see it.")
    state: PictureState = Field(
        description="`stopped`: its job ended before it was done, and can be run again."
    )
    problem: PictureProblem | None
    width: int
    height: int
    files: list[PictureFile]
    created_at: datetime


class RefusedFile(BaseModel):
    """A file that was not taken."""

    name: str
    problem: PictureProblem


class UploadOut(BaseModel):
    """What came of an upload; the pictures are ready when the job has ended."""

    taken: int
    refused: list[RefusedFile]
    job_id: str


class PicturesOut(BaseModel):
    """An item's pictures, in their order."""

    pictures: list[PictureOut]


class PicturePatch(BaseModel):
    """Changes of a picture; what is not given stays."""

    model_config = ConfigDict(extra="forbid")

    alt: AltText | None = None
    position: Annotated[WholeNumber, Field(ge=1, le=1000)] | None = Field(
        None, description="Its place among the item's pictures, from 1."
    )
