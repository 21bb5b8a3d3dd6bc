"""What a form says of a field that a product's own schema refuses."""

from datetime import date, datetime
from types import SimpleNamespace
from typing import Annotated, Literal

import pytest
from fastapi import Request
from pydantic import AfterValidator, BaseModel, EmailStr, ValidationError

from app.config import Settings
from app.forms import problems
from app.schemas.numbers import RowId
from app.templating import time_zone_of


def _whole_hour(value: datetime) -> datetime:
    if value.minute:
        raise ValueError("not a whole hour")
    return value


class _Wish(BaseModel):
    who: RowId = 1
    day: date = date(2026, 11, 5)
    at: Annotated[datetime, AfterValidator(_whole_hour)] = datetime(2026, 11, 5, 9)
    how: Literal["cut", "perm"] = "cut"
    mail: EmailStr = "hana@example.com"


@pytest.mark.parametrize(
    ("field", "sent", "said"),
    [
        ("who", "", "Please fill this in."),
        ("who", "Mio", "Please enter a whole number."),
        ("day", "", "Please fill this in."),
        ("day", "soon", "Please enter a date such as 2026-11-23."),
        ("at", "", "Please fill this in."),
        ("at", "soon", "Please enter a date and time such as 2026-11-23 09:30."),
        ("at", "2026-11-05T09:30", "This is not valid."),
        ("how", "", "Please fill this in."),
        ("how", "dye", "This is not valid."),
        ("mail", "", "Please fill this in."),
        ("mail", "hana", "Please enter an e-mail address such as name@example.com."),
    ],
)
def test_it_names_what_is_to_be_done(field: str, sent: str, said: str) -> None:
    app = SimpleNamespace(state=SimpleNamespace(settings=Settings()))
    request = Request({"type": "http", "app": app, "headers": []})
    with pytest.raises(ValidationError) as refused:
        _Wish.model_validate({field: sent})
    assert problems(request, refused.value) == {field: said}


@pytest.mark.parametrize(
    ("cookie", "zone"), [("", "Asia/Tokyo"), ("tz=Europe/Paris", "Europe/Paris")]
)
def test_a_reader_whose_browser_tells_no_time_zone_has_that_of_the_settings(
    cookie: str, zone: str
) -> None:
    app = SimpleNamespace(state=SimpleNamespace(settings=Settings(time_zone="Asia/Tokyo")))
    request = Request({"type": "http", "app": app, "headers": [(b"cookie", cookie.encode())]})
    assert str(time_zone_of(request)) == zone
