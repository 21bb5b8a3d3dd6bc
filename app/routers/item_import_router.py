"""Imports of items: a file is uploaded, its columns are mapped, and a job does the rest."""

import csv
import io
import re
from collections.abc import Iterator
from typing import Annotated, Final

import orjson
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from app.config import Settings
from app.dependencies import DatabaseDep, SessionDep, SettingsDep, SignedIn
from app.forms import Form, problems, read_form
from app.i18n import Language
from app.lib.formula_guard import guarded, unguarded
from app.lib.table_problems import TableProblem
from app.routers import import_pages as pages
from app.routers.import_texts import file_problem, row_problems
from app.routers.import_upload import PATH, NoFile, take_table
from app.routers.job_router import note_job
from app.schemas.item_import import ImportChoice
from app.schemas.numbers import RowId
from app.services.errors import NotFound
from app.services.imports.folder import ImportFolder
from app.services.imports.import_service import ImportService
from app.templating import Toast, is_partial, language_of, redirect, render

router = APIRouter(include_in_schema=False)

_UPLOADS: Final = re.compile(re.escape(PATH))
_BOM: Final = "\ufeff"
_LINES_AT_ONCE: Final = 500


def import_uploads(settings: Settings) -> tuple[re.Pattern[str], int]:
    """The path that takes files of items, and the largest body there."""
    return _UPLOADS, settings.import_max_bytes + settings.max_body_bytes


async def import_service(session: SessionDep, user: SignedIn) -> ImportService:
    """The signed-in user's imports."""
    return ImportService(session, user.id)


Imports = Annotated[ImportService, Depends(import_service)]


@router.get(PATH)
async def choose_file(request: Request, settings: SettingsDep, _user: SignedIn) -> Response:
    """A form for a file."""
    return render(request, pages.upload_page(request, settings))


@router.post(PATH)
async def upload_file(
    request: Request,
    settings: SettingsDep,
    database: DatabaseDep,
    session: SessionDep,
    user: SignedIn,
) -> Response:
    """Take a file, and go on to its columns; or say what is wrong with it."""
    language, user_id = language_of(request), user.id
    # The line may be slow, and connections are few.
    await session.close()
    try:
        table = await take_table(request, settings)
    except TableProblem as problem:
        return _refused(request, settings, file_problem(language, problem.code, problem.values))
    except NoFile:
        return _refused(request, settings, language.gettext("Choose the file first."))
    except OSError:
        text = language.gettext(
            "There is no room left for the file. Please tell who runs this app."
        )
        return _refused(request, settings, text)
    async with database.session(user_id) as session_of_file:
        added, dropped = await ImportService(session_of_file, user_id).add(table)
        import_id = added.id
    for key in dropped:
        await run_in_threadpool(ImportFolder(settings.files_dir, key).remove)
    return redirect(request, f"/items/imports/{import_id}")


@router.get("/items/imports/{import_id}")
async def map_columns(request: Request, imports: Imports, import_id: RowId) -> Response:
    """Which column is what, and how the first rows look then."""
    file = await imports.get(import_id)
    if file.job_id is not None:
        return redirect(request, "/jobs")
    values = pages.choice_values(file, dict(request.query_params))
    choice, form = _choice(request, values)
    mapping = pages.mapping(request, file, form, choice)
    if is_partial(request):
        return render(request, pages.MappingPartial(mapping))
    return render(request, pages.MappingPage(mapping))


@router.post("/items/imports/{import_id}")
async def begin_import(
    request: Request, settings: SettingsDep, imports: Imports, import_id: RowId
) -> Response:
    """Queue the job, or show what is wrong with the form."""
    file = await imports.get(import_id)
    if file.job_id is not None:
        return redirect(request, "/jobs")
    values = pages.choice_values(file, await read_form(request))
    choice, form = _choice(request, values)
    if choice is None:
        mapping = pages.mapping(request, file, form, None)
        return render(request, pages.MappingPage(mapping), 422)
    await imports.begin(import_id, choice)
    return note_job(redirect(request, "/jobs"), settings)


@router.get("/jobs/{job_id}/bad-rows")
async def download_bad_rows(
    request: Request, settings: SettingsDep, imports: Imports, job_id: str
) -> Response:
    """The rows that were not imported, as they were and with the reason, to be mended."""
    imported = await imports.of_job(job_id)
    path = ImportFolder(settings.files_dir, imported.key).bad
    if not path.is_file():
        raise NotFound
    is_csv = imported.shape["kind"] == "csv"
    lines = _bad_rows(path.open("rb"), language_of(request), were_guarded=is_csv)
    name = f"bad-rows-{imported.id}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(lines, 200, headers, "text/csv; charset=utf-8")


def _choice(request: Request, values: dict[str, str]) -> tuple[ImportChoice | None, Form]:
    sent = {name: value or False for name, value in values.items() if name in _SWITCHES}
    try:
        choice = ImportChoice.model_validate({**values, **sent})
    except ValidationError as error:
        errors = problems(request, error)
        if "" in errors:  # the only thing that is wrong with all of it
            errors["title"] = language_of(request).gettext("Every item needs a title.")
            del errors[""]
        return None, Form(values, errors)
    return choice, Form(values)


_SWITCHES: Final = ("has_names", *pages.SWITCHES)


def _refused(request: Request, settings: Settings, problem: str) -> Response:
    if request.headers.get("hx-request") == "true":
        return redirect(request, PATH, Toast(problem, "error"))
    return render(request, pages.upload_page(request, settings, problem), 422)


def _bad_rows(file: io.BufferedReader, language: Language, *, were_guarded: bool) -> Iterator[str]:
    _ = language.gettext
    with file:
        names = orjson.loads(file.readline())["names"]
        # Behind the cells and not before: so the file can be imported again as it is.
        yield _BOM + _csv([[*names, _("Row"), _("What is wrong")]])
        rows: list[list[str]] = []
        for line in file:
            bad = orjson.loads(line)
            missing = [""] * (len(names) - len(bad["cells"]))
            reason = row_problems(language, bad["problems"])
            cells = map(unguarded, bad["cells"]) if were_guarded else bad["cells"]
            rows.append([*map(guarded, cells), *missing, str(bad["row"]), reason])
            if len(rows) == _LINES_AT_ONCE:
                yield _csv(rows)
                rows.clear()
        yield _csv(rows)


def _csv(rows: list[list[str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()
