"""Accounts, in and out."""

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, EmailStr, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from app.schemas.text import Line


def normalize_email(value: str) -> str:
    """The address as it is stored and looked up."""
    return value.strip().lower()


Email = Annotated[EmailStr, Field(max_length=254), AfterValidator(normalize_email)]
Password = Annotated[str, Field(min_length=12, max_length=128, repr=False)]
GivenPassword = Annotated[str, Field(min_length=1, max_length=128, repr=False)]
Name = Annotated[Line, StringConstraints(min_length=1, max_length=100)]


def check_password(password: str, email: str) -> None:
    """Raises a validation error where the password is the address."""
    if normalize_email(password) == normalize_email(email):
        raise PydanticCustomError(
            "password_is_email", "The password must not be the e-mail address"
        )


class SignUp(BaseModel):
    """A new account."""

    email: Email
    name: Name
    password: Password

    @model_validator(mode="after")
    def _password_is_not_the_address(self) -> Self:
        check_password(self.password, self.email)
        return self


class SignIn(BaseModel):
    """Who somebody says they are. Rules for new passwords do not apply to old ones."""

    email: Annotated[str, Field(max_length=254), AfterValidator(normalize_email)]
    password: GivenPassword


class ChangePassword(BaseModel):
    """The old password and the new one."""

    current: GivenPassword
    new: Password
