"""Whole numbers as people write them; pydantic alone takes `1.0`, `+1`, `1_000` and true too."""

import re
from typing import Annotated, Final

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

_DIGITS: Final = re.compile(r"-?[0-9]+")


def _whole_number(value: object) -> object:
    is_odd = isinstance(value, bool | float) or (
        isinstance(value, str) and not _DIGITS.fullmatch(value)
    )
    if is_odd:
        raise PydanticCustomError("whole_number", "Input should be a whole number")
    return value


WholeNumber = Annotated[int, BeforeValidator(_whole_number)]
"""Other numbers are refused with the error `whole_number`."""

RowId = Annotated[WholeNumber, Field(ge=1, lt=1 << 63)]
"""The id of a row in the app's own database."""

IdFromZero = Annotated[WholeNumber, Field(ge=0, lt=1 << 63)]
"""The id of a row of the trace log, or a place among ids, before the first too."""
