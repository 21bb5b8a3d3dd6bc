"""Accounts, in and out."""

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, EmailStr, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from app.models.access_token import Scope
from app.schemas.numbers import WholeNumber
from app.schemas.password_rules import is_common
from app.schemas.text import no_control_characters, one_line


def normalize_email(value: str) -> str:
    """The address as it is stored and looked up."""
    return value.strip().lower()


Email = Annotated[EmailStr, Field(max_length=254), AfterValidator(normalize_email)]
GivenPassword = Annotated[str, Field(min_length=1, max_length=128, repr=False)]
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=100), one_line, no_control_characters
]


def _uncommon(value: str) -> str:
    if is_common(value):
        raise PydanticCustomError("password_is_common", "The password is a common one")
    return value


Password = Annotated[
    str, Field(min_length=12, max_length=128, repr=False), AfterValidator(_uncommon)
]


def is_email(password: str, email: str) -> bool:
    """Whether a password is just the address: the first thing that anybody would try."""
    return normalize_email(password) == normalize_email(email)


class SignUp(BaseModel):
    """A new account."""

    email: Email
    name: Name
    password: Password

    @model_validator(mode="after")
    def _password_is_not_the_address(self) -> Self:
        if is_email(self.password, self.email):
            raise PydanticCustomError("password_is_email", "The password is the e-mail address")
        return self


class SignIn(BaseModel):
    """Who somebody says they are. Rules for new passwords do not apply to old ones."""

    email: Annotated[str, Field(max_length=254), AfterValidator(normalize_email)]
    password: GivenPassword


class ChangePassword(BaseModel):
    """The old password and the new one."""

    current: GivenPassword
    new: Password


class NewPassword(BaseModel):
    """A password for somebody who came with a link."""

    new: Password


class Address(BaseModel):
    """An e-mail address to write to."""

    email: Email


class NewAccessToken(BaseModel):
    """What a new access token may do, and for how many days."""

    name: Name
    scope: Scope = "read"
    days: Annotated[WholeNumber, Field(ge=1, le=366)] = 30
