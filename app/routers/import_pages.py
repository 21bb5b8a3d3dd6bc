"""What the templates of imports are given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from fastapi import Request

from app.config import Settings
from app.forms import Form
from app.models.item_import import ItemImport
from app.routers.import_texts import field_names, row_problems
from app.schemas.item import ItemIn
from app.schemas.item_import import ITEM_FIELDS, ImportChoice
from app.services.imports.item_rows import ItemRows, guess_columns
from app.templating import Template, language_of

SWITCHES = ("all_or_nothing", "skip_known")


@dataclass(frozen=True, slots=True)
class UploadPage(Template):
    template: ClassVar[str] = "imports/upload.html"
    max_bytes: int
    most: str
    rows: int
    columns: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A row of the file as an item, or what is wrong with it."""

    item: ItemIn | None
    problem: str


@dataclass(frozen=True, slots=True)
class ImportMapping:
    """How a file is understood for now."""

    file: ItemImport
    size: str
    form: Form
    fields: Sequence[tuple[str, str]]
    columns: Sequence[tuple[str, str]]
    rows: Sequence[PreviewRow]


@dataclass(frozen=True, slots=True)
class MappingPage(Template):
    template: ClassVar[str] = "imports/mapping.html"
    mapping: ImportMapping


@dataclass(frozen=True, slots=True)
class MappingPartial(Template):
    template: ClassVar[str] = "imports/_mapping.html"
    mapping: ImportMapping


def upload_page(request: Request, settings: Settings, problem: str = "") -> UploadPage:
    """Where a file is chosen."""
    size = settings.import_max_bytes
    text = language_of(request).file_size(size)
    return UploadPage(
        size, text, settings.import_max_rows, settings.import_max_columns, problem=problem
    )


def choice_values(file: ItemImport, sent: Mapping[str, str]) -> dict[str, str]:
    """What the form shows: what was sent, or what the columns' names say."""
    if sent:
        values = {field: sent.get(field, "") for field in ITEM_FIELDS}
        return values | {name: sent.get(name, "") for name in ("has_names", *SWITCHES)}
    guessed = guess_columns(file.sample[0])
    values = {field: str(guessed.get(field, "")) for field in ITEM_FIELDS}
    if not guessed:
        values["title"] = "0"
    has_names = bool(guessed) or len(file.sample) > 1
    return values | {"has_names": "on" if has_names else "", **dict.fromkeys(SWITCHES, "")}


def mapping(
    request: Request,
    file: ItemImport,
    form: Form,
    choice: ImportChoice | None,
) -> ImportMapping:
    """The page's content; without a choice that makes sense there are no rows."""
    language = language_of(request)
    return ImportMapping(
        file,
        language.file_size(file.size),
        form,
        list(field_names(language).items()),
        _columns(request, file, has_names=bool(form.values["has_names"])),
        _preview(request, file, choice) if choice else [],
    )


def _columns(request: Request, file: ItemImport, *, has_names: bool) -> list[tuple[str, str]]:
    _ = language_of(request).gettext
    columns = [("", _("– not in the file –"))]
    for number, cell in enumerate(file.sample[0]):
        name = cell.strip() if has_names else ""
        name = name or _("Column %(number)s") % {"number": number + 1}
        columns.append((str(number), name if len(name) < 60 else f"{name[:59]}…"))
    return columns


def _preview(request: Request, file: ItemImport, choice: ImportChoice) -> list[PreviewRow]:
    reader = ItemRows(file, choice)
    rows = []
    for cells in file.sample[int(choice.has_names) :]:
        found = reader.read(cells)
        if isinstance(found, ItemIn):
            rows.append(PreviewRow(found, ""))
        else:
            rows.append(PreviewRow(None, row_problems(language_of(request), found)))
    return rows
