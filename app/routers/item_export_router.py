"""What a list of items has, as a file: at once, as a job, or as a stream for programs."""

import logging
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from app.dependencies import DatabaseDep, Items, SessionDep, SettingsDep, SignedIn
from app.forms import read_form
from app.lib.table_files import TYPES, Kind, Text, TextTable, file_name, is_text, open_table
from app.lib.utils import utc_now
from app.routers.item_pages import read_query
from app.routers.job_router import note_job
from app.schemas.item import ItemFilter, ItemOut, ItemPage, ItemQuery
from app.schemas.problem import PROBLEMS
from app.services.item_export import COLUMNS, first_page, pages, record
from app.services.item_list import ItemList
from app.services.job_service import JobService
from app.templating import Toast, language_of, redirect

router = APIRouter()
log = logging.getLogger(__name__)


class ItemExport(ItemFilter):
    """Which items, in which order, and as which kind of file."""

    kind: Text = Field(
        "csv",
        description="CSV has an apostrophe before what a spreadsheet would take for a formula.",
    )


@router.post("/items/export", include_in_schema=False)
async def export_items(
    request: Request, settings: SettingsDep, session: SessionDep, user: SignedIn, items: Items
) -> Response:
    """The list in the URL as a file of the form's kind: a short one at once, else as a job."""
    kind = _kind((await read_form(request)).get("kind", ""))
    wanted = ItemFilter.model_validate(read_query(request.query_params).model_dump())
    name = file_name("items", kind, utc_now())
    page = await items.page(first_page(wanted))
    if page.next_cursor is None:
        try:
            content = await run_in_threadpool(_file, kind, page.items)
        except OSError:
            log.exception("A file of items could not be written.")
            _ = language_of(request).gettext
            text = _("There is no room left for the file. Please tell who runs this app.")
            back = f"/items?{request.url.query}".removesuffix("?")
            return redirect(request, back, Toast(text, "error"))
        return Response(content, 200, _attachment(name), TYPES[kind])
    params = {"kind": kind, "name": name, "wanted": wanted.model_dump()}
    await JobService(session, user.id).queue("Bulk_Export", name, params)
    return note_job(redirect(request, "/jobs"), settings)


@router.get(
    "/api/items/export",
    tags=["items"],
    response_class=Response,
    responses={**PROBLEMS, 200: {"content": {"text/csv": {}, "application/x-ndjson": {}}}},
)
async def stream_items(
    database: DatabaseDep,
    session: SessionDep,
    user: SignedIn,
    wanted: Annotated[ItemExport, Query()],
) -> StreamingResponse:
    """All items that fit, as one file. What changes meanwhile may be in it or not."""
    user_id = user.id
    await session.close()

    async def read(query: ItemQuery) -> ItemPage:
        # A connection for a page and not for the file: its reader may be slow.
        async with database.session(user_id) as session:
            return await ItemList(session, user_id).page(query)

    listed = pages(read, wanted)
    # Before anything is sent, it can still be said that the database is down.
    lines = _lines(TextTable(wanted.kind, list(COLUMNS)), await anext(listed), listed)
    headers = _attachment(file_name("items", wanted.kind, utc_now()))
    return StreamingResponse(lines, 200, headers, TYPES[wanted.kind])


async def _lines(
    table: TextTable, first: Sequence[ItemOut], rest: AsyncIterator[Sequence[ItemOut]]
) -> AsyncIterator[bytes]:
    yield table.head() + table.body(map(record, first))
    async for page in rest:
        yield table.body(map(record, page))


def _file(kind: Kind, items: Sequence[ItemOut]) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "items"
        with open_table(kind, path, COLUMNS) as table:
            table.add(map(record, items))
        return path.read_bytes()


def _kind(name: str) -> Kind:
    if is_text(name):
        return name
    if name == "xlsx":
        return "xlsx"
    raise HTTPException(422)


def _attachment(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
