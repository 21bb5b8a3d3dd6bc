"""How a file of items is to be imported."""

from typing import Annotated, Final, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from app.schemas.numbers import WholeNumber

ItemField = Literal["title", "description", "status", "due_on"]
ITEM_FIELDS: Final[tuple[ItemField, ...]] = get_args(ItemField)


def _empty_is_none(value: object) -> object:
    return None if value == "" else value


Column = Annotated[WholeNumber, Field(ge=0, lt=10_000)]
OptionalColumn = Annotated[Column | None, BeforeValidator(_empty_is_none)]


class ImportChoice(BaseModel):
    """Which column, from 0, each part of an item is in, and what is done with the rows."""

    model_config = ConfigDict(extra="ignore")

    title: OptionalColumn = None
    description: OptionalColumn = None
    status: OptionalColumn = None
    due_on: OptionalColumn = None
    has_names: bool = Field(
        default=True, description="Whether the first row has the columns' names."
    )
    all_or_nothing: bool = Field(
        default=False, description="Whether one bad row keeps all from coming in."
    )
    skip_known: bool = Field(
        default=False,
        description="Whether rows that an earlier import has brought are passed over.",
    )

    @model_validator(mode="after")
    def _title_is_needed(self) -> Self:
        if self.title is None:
            raise PydanticCustomError("title_missing", "A column for the title is needed")
        return self

    def column(self, field: ItemField) -> int | None:
        """The column of one part of an item."""
        columns: dict[str, int | None] = {
            "title": self.title,
            "description": self.description,
            "status": self.status,
            "due_on": self.due_on,
        }
        return columns[field]
