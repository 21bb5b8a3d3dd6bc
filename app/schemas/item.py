"""Items, in and out."""

import re
from datetime import date, datetime
from typing import Annotated, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from app.models.item import DESCRIPTION_LENGTH, TITLE_LENGTH, Status
from app.schemas.cursor import Cursor, Direction, InvalidCursor, Sort
from app.schemas.numbers import RowId, WholeNumber
from app.schemas.text import line_feeds, no_control_characters, one_line, visible

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def _iso_date(value: object) -> object:
    """Dates are what a date field sends; pydantic alone would take numbers as seconds too."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, str) and _ISO_DATE.fullmatch(value.strip()):
        return value.strip()
    if type(value) is date:
        return value
    raise PydanticCustomError("date_parsing", "Input should be a date such as 2026-11-05")


def _empty_is_none(value: object) -> object:
    return None if value == "" else value


Title = Annotated[
    str,
    StringConstraints(min_length=1, max_length=TITLE_LENGTH),
    one_line,
    no_control_characters,
    visible,
]
Description = Annotated[
    str, StringConstraints(max_length=DESCRIPTION_LENGTH), line_feeds, no_control_characters
]
DueOn = Annotated[date, Field(ge=date(1900, 1, 1), le=date(9999, 12, 30), examples=["2026-11-05"])]
OptionalDueOn = Annotated[DueOn | None, BeforeValidator(_iso_date)]
Version = Annotated[
    WholeNumber, Field(ge=1, lt=1 << 31, description="The version that was changed.")
]


_ONLY_READ = ("id", "created_at", "updated_at")


def _without_only_read(sent: object) -> object:
    """Programs send an item back as they got it; what nobody can set is passed over."""
    if not isinstance(sent, dict):
        return sent
    return {name: value for name, value in sent.items() if name not in _ONLY_READ}


class ItemIn(BaseModel):
    """What a user says about an item."""

    model_config = ConfigDict(extra="forbid")  # a key that is mistyped would lose what it holds

    title: Title
    description: Description = ""
    status: Status = "todo"
    due_on: OptionalDueOn = None


class ItemPut(ItemIn):
    """An item's new content, all of it."""

    version: Version

    _pass_over = model_validator(mode="before")(_without_only_read)


class ItemPatch(BaseModel):
    """Changes to an item; what is not there stays as it is."""

    model_config = ConfigDict(extra="forbid")

    _pass_over = model_validator(mode="before")(_without_only_read)

    version: Version
    title: Title | None = None
    description: Description | None = None
    status: Status | None = None
    due_on: OptionalDueOn = None

    @model_validator(mode="after")
    def _only_due_on_may_be_none(self) -> Self:
        for name in self.model_fields_set - {"due_on"}:
            if getattr(self, name) is None:
                raise PydanticCustomError("none_required", "{field} is needed", {"field": name})
        return self

    def applied_to(self, current: ItemIn) -> ItemIn:
        """`current` with these changes."""
        changes = self.model_dump(include=self.model_fields_set - {"version"})
        return current.model_copy(update=changes)


class ItemOut(BaseModel):
    """An item as it is stored."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    title: str
    description: str
    status: Status
    due_on: date | None
    created_at: datetime
    updated_at: datetime
    version: int


class ItemFilter(BaseModel):
    """Which items, and in which order."""

    model_config = ConfigDict(extra="ignore")

    q: Annotated[
        str,
        StringConstraints(strip_whitespace=True, max_length=200),
        Field(description="Words that all occur in title or description, as parts of words too."),
    ] = ""
    status: Annotated[Status | None, BeforeValidator(_empty_is_none)] = None
    sort: Sort = "created"
    direction: Direction = "desc"


class ItemQuery(ItemFilter):
    """Which items, in which order, and which page of them."""

    after: Annotated[str | None, BeforeValidator(_empty_is_none)] = Field(
        None, description="`next_cursor` of the page before."
    )
    before: Annotated[str | None, BeforeValidator(_empty_is_none)] = Field(
        None, description="`previous_cursor` of the page behind."
    )
    limit: WholeNumber = Field(50, ge=1, le=200)

    @model_validator(mode="after")
    def _cursors_fit(self) -> Self:
        if self.after and self.before:
            raise PydanticCustomError("cursor", "Give either after or before, not both")
        try:
            self.cursor()
        except InvalidCursor as error:
            message = "The place in the list is not valid: {reason}"
            raise PydanticCustomError("cursor", message, {"reason": str(error)}) from None
        return self

    def cursor(self) -> Cursor | None:
        """The place from which the page is read; none is the list's start."""
        text = self.after or self.before
        return Cursor.decode(text, self.sort, self.direction) if text else None


class ItemPage(BaseModel):
    """One page of a list."""

    items: list[ItemOut]
    next_cursor: str | None = Field(None, description="For `after`; none on the last page.")
    previous_cursor: str | None = Field(None, description="For `before`; none on the first page.")


class ItemIds(BaseModel):
    """Several items at once. Ids that are not one's own are passed over."""

    model_config = ConfigDict(extra="forbid")

    ids: list[RowId] = Field(min_length=1, max_length=200)


class ItemStatusChange(ItemIds):
    """A new status for several items."""

    status: Status
