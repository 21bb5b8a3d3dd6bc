"""What the templates of items are given, and the list's state in its URL."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlencode

from fastapi import Request
from pydantic import ValidationError
from starlette.datastructures import QueryParams

from app.forms import Form
from app.models.item import Item
from app.routers.picture_pages import PictureSection
from app.routers.refinement_pages import Panel
from app.schemas.item import ItemIn, ItemPage, ItemQuery
from app.security import current_url
from app.templating import Template

FIELDS = ("title", "description", "status", "due_on")
_STATE = ("q", "status", "sort", "direction", "after", "before")
_CURSORS = ("after", "before")


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of the list, and the URLs of its neighbours."""

    query: ItemQuery
    page: ItemPage

    def url(self, **changes: str | None) -> str:
        """The list with other parameters; it starts anew unless the change is a cursor."""
        return list_url(self.query, **changes)

    def sort_url(self, sort: str) -> str:
        """Sorted by `sort`; a second click turns the direction round."""
        down = self.query.direction == "desc" if self.query.sort == sort else sort in _DOWN_FIRST
        turned = self.query.sort == sort
        return self.url(sort=sort, direction="asc" if down == turned else "desc")

    @property
    def export_url(self) -> str:
        """Where a form asks for all of the list as a file."""
        return "/items/export" + self.url().removeprefix("/items")

    @property
    def is_filtered(self) -> bool:
        return bool(self.query.q or self.query.status)


# Of times the newest is wanted first, of everything else the least.
_DOWN_FIRST = frozenset({"created", "updated"})
_DEFAULT = ItemQuery()


def list_url(query: ItemQuery, **changes: str | None) -> str:
    """The shortest URL of a list: what is as by default is left out."""
    state = {name: getattr(query, name) for name in _STATE if name not in _CURSORS} | changes
    kept = {n: v for n, v in state.items() if v and v != getattr(_DEFAULT, n)}
    return f"/items?{urlencode(kept)}" if kept else "/items"


def read_query(parameters: Mapping[str, str]) -> ItemQuery:
    """The list that a URL means; what is not valid in it counts as not given."""
    sent = {name: parameters[name] for name in _STATE if name in parameters}
    try:
        return ItemQuery.model_validate(sent)
    except ValidationError as error:
        wrong = {str(d["loc"][0]) for d in error.errors() if d["loc"]} or set(_CURSORS)
        return read_query({name: v for name, v in sent.items() if name not in wrong})


def current_query(request: Request) -> ItemQuery:
    """The list that is shown around the element that htmx sent a request for."""
    url = current_url(request)
    return read_query(QueryParams(url.query) if url.path == "/items" else {})


def values_of(content: Item | ItemIn) -> dict[str, str]:
    """An item's content as the fields of a form hold it."""
    return {
        "title": content.title,
        "description": content.description,
        "status": content.status,
        "due_on": content.due_on.isoformat() if content.due_on else "",
    }


def form_of(item: Item) -> Form:
    """The form that edits an item."""
    return Form({**values_of(item), "version": str(item.version)})


def sent_form(sent: Mapping[str, str], errors: Mapping[str, str]) -> Form:
    """The form as it was sent, with what is wrong in it."""
    # The version is no field that the reader could mend.
    shown = {"" if name == "version" else name: text for name, text in errors.items()}
    return Form({name: sent.get(name, "") for name in (*FIELDS, "version")}, shown)


@dataclass(frozen=True, slots=True)
class ListPage(Template):
    template: ClassVar[str] = "items/list.html"
    listing: Listing


@dataclass(frozen=True, slots=True)
class ListPartial(Template):
    template: ClassVar[str] = "items/_list.html"
    listing: Listing


@dataclass(frozen=True, slots=True)
class CreatedPartial(Template):
    """The emptied place of the form for a new item, and the list beside it."""

    template: ClassVar[str] = "items/_created.html"
    listing: Listing


@dataclass(frozen=True, slots=True)
class NewPage(Template):
    template: ClassVar[str] = "items/new.html"
    form: Form


@dataclass(frozen=True, slots=True)
class NewPartial(Template):
    template: ClassVar[str] = "items/_new.html"
    form: Form


@dataclass(frozen=True, slots=True)
class DetailPage(Template):
    template: ClassVar[str] = "items/detail.html"
    item: Item
    pictures: PictureSection
    refinement: Panel | None


@dataclass(frozen=True, slots=True)
class RowPartial(Template):
    template: ClassVar[str] = "items/_row.html"
    item: Item


@dataclass(frozen=True, slots=True)
class EditPage(Template):
    """`back` is the page to return to."""

    template: ClassVar[str] = "items/edit.html"
    item_id: int
    form: Form
    back: str


@dataclass(frozen=True, slots=True)
class EditPartial(Template):
    template: ClassVar[str] = "items/_edit_row.html"
    item_id: int
    form: Form


@dataclass(frozen=True, slots=True)
class ConflictPage(Template):
    """Two versions of an item: the reader's in `form`, and the one that is saved now.

    `differing` are the fields to decide about. The form's version is that of `current`.
    """

    template: ClassVar[str] = "items/conflict.html"
    current: Item
    form: Form
    differing: tuple[str, ...]
    back: str


@dataclass(frozen=True, slots=True)
class ConflictPartial(Template):
    template: ClassVar[str] = "items/_conflict_row.html"
    current: Item
    form: Form
    differing: tuple[str, ...]
