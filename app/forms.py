"""Forms of pages: what was sent, and what is wrong with it in the reader's words, by field."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import Request
from pydantic import ValidationError
from starlette.datastructures import FormData

from app.i18n import Language
from app.templating import language_of


@dataclass(frozen=True, slots=True)
class Form:
    """A form to show: the text in its fields, and the problem of each field that has one.

    The problem under the empty name belongs to the form as a whole.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def first_error(self) -> str:
        """The field to look at first; empty when all are fine."""
        return next((name for name in self.values if name in self.errors), "")


async def read_form(request: Request) -> dict[str, str]:
    """The text fields that were sent; of several with one name the last, and no files."""
    form = await _form(request)
    return {k: v for k, v in form.multi_items() if isinstance(v, str)}


async def read_all(request: Request, name: str) -> list[str]:
    """The values of all text fields of one name, such as ticked boxes."""
    form = await _form(request)
    return [value for value in form.getlist(name) if isinstance(value, str)]


async def _form(request: Request) -> FormData:
    """What was sent, without its files: no form that is read here has any."""
    form = await request.form()
    await form.close()
    return form


def problems(request: Request, error: ValidationError) -> dict[str, str]:
    """Each field's first problem; problems of the whole under the empty name."""
    found: dict[str, str] = {}
    for detail in error.errors(include_url=False):
        name = str(detail["loc"][0]) if detail["loc"] else ""
        kind = detail["type"]
        if detail["input"] == "" and not kind.startswith("string_"):
            kind = "missing"  # a field left empty comes as an empty text
        found.setdefault(name, sentence(request, kind, detail.get("ctx") or {}))
    return found


def sentence(request: Request, kind: str, limits: Mapping[str, object]) -> str:
    """What to tell the reader about a problem of pydantic's `kind`; `limits` is its context."""
    return sentence_in(language_of(request), kind, limits)


def sentence_in(language: Language, kind: str, limits: Mapping[str, object]) -> str:
    """The same in a language."""
    _ = language.gettext
    match kind, limits:
        case "missing", _:
            return _("Please fill this in.")
        case "string_too_short" | "too_short", {"min_length": int(shortest)} if shortest > 1:
            return _("Please use at least %(count)s characters.") % {"count": shortest}
        case "string_too_short" | "too_short", _:
            return _("Please fill this in.")
        case "string_too_long" | "too_long", {"max_length": int(longest)}:
            return _("Please use at most %(count)s characters.") % {
                "count": language.number(longest)
            }
        case "date_parsing" | "date_from_datetime_parsing", _:
            return _("Please enter a date such as 2026-11-23.")
        case "datetime_parsing" | "datetime_from_date_parsing", _:
            return _("Please enter a date and time such as 2026-11-23 09:30.")
        case "whole_number" | "int_parsing", _:
            return _("Please enter a whole number.")
        case "greater_than_equal" | "less_than_equal", _:
            return _("This is out of range.")
        case "control_character", _:
            return _("There are characters in it that cannot be stored.")
        case "password_is_common", _:
            return _("This is one of the passwords that are tried first. Please choose another.")
        case "password_is_refused", _:
            return _(
                "This password is not taken: it may be too simple, known from a leak, "
                "or the one you had. Please choose another."
            )
        case "password_is_email", _:
            return _("Please do not use your e-mail address as the password.")
        case "address_is_refused", _:
            return _("No mail can be sent to this address. Please use another one.")
        case "sign_up_is_closed", _:
            return _("Nobody can make an account here at present. Please ask the administrator.")
        case "value_error", {"reason": str()}:  # pydantic's, of an address
            return _("Please enter an e-mail address such as name@example.com.")
        case _:
            return _("This is not valid.")
