"""Questions to the trace log in SQL: a library of ready ones, saved ones, and a console."""

from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response, StreamingResponse

from app.dependencies import Admin, LoggerDep, SettingsDep, admin_user
from app.forms import Form, read_form
from app.lib.logger import EnhancedCSVLogger
from app.lib.tracelog.store.store import QueryFailed, StoreError, StoreSchemaMissing
from app.lib.utils import half_width
from app.routers import log_query_pages as pages
from app.routers.log_query_pages import Question
from app.routers.logs.reading import NoStore, Problem, problem_of
from app.services.query_service import MOST_FILE_ROWS, MOST_ROWS, Answer, QueryService
from app.services.ready_queries import READY_QUERIES
from app.templating import Toast, language_of, redirect, render

router = APIRouter(prefix="/logs", include_in_schema=False, dependencies=[Depends(admin_user)])

MOST_SQL: Final = 10_000
MOST_NAME: Final = 100
_READY: Final = {query.key: query for query in READY_QUERIES}


async def query_service(logger: LoggerDep) -> QueryService | None:
    """Questions in SQL; None where the app delivers its log to no store."""
    if not isinstance(logger, EnhancedCSVLogger):
        return None
    return QueryService(logger.store, logger)


Queries = Annotated[QueryService | None, Depends(query_service)]


@router.get("/queries")
async def list_queries(request: Request, settings: SettingsDep, queries: Queries) -> Response:
    """The library."""
    problem, saved = None, []
    try:
        saved = await _there(queries).saved()
    except StoreError as error:
        problem = problem_of(request, error)
    page = pages.LibraryPage(
        pages.library(language_of(request)),
        saved,
        problem,
        pages.CONSOLE if settings.has_log_console else "",
    )
    # What is ready is shown all the same.
    return render(request, page)


@router.get("/queries/{key}")
async def ready_query(
    request: Request, settings: SettingsDep, queries: Queries, key: str
) -> Response:
    """A ready question; it is asked as soon as its values are there."""
    if key not in _READY:
        raise HTTPException(404)
    query = _READY[key]
    question = pages.ready_question(query, language_of(request))
    given = {name: value.strip() for name, value in request.query_params.items()}
    values = {p.name: given.get(p.name, p.default) for p in query.parameters}
    numbers = [field.name for field in question.fields if field.kind == "number"]
    values |= {name: half_width(values[name]) for name in numbers}
    form = Form(values, _problems(request, question, values))
    answer = problem = None
    if not form.errors and all(values.values()):
        try:
            answer = await _there(queries).ask(query.sql, values, rows=_rows(request))
        except StoreSchemaMissing:
            answer = Answer((), (), more=False, seconds=0.0)  # the first delivery makes the tables
        except StoreError as error:
            problem = _problem(request, error)
    elif not given.keys() & values.keys():
        form = Form(values)  # nobody has filled it in yet
    return _page(request, settings, question, form, answer, problem)


@router.get("/queries/saved/{query_id}")
async def saved_query(
    request: Request, settings: SettingsDep, queries: Queries, user: Admin, query_id: int
) -> Response:
    """A question that somebody saved."""
    try:
        question = pages.saved_question(await _there(queries).get_saved(query_id))
    except StoreError as error:
        question = Question(f"{pages.BASE}/saved/{query_id}", "", "", "", ())
        return _page(request, settings, question, Form(), None, _problem(request, error))
    return await _asked_freely(request, settings, queries, user.id, question)


@router.get("/console")
async def console(
    request: Request, settings: SettingsDep, queries: Queries, user: Admin
) -> Response:
    """A question of one's own. A link from another site fills the form in and asks nothing."""
    _open(settings.has_log_console)
    sql = request.query_params.get("sql", "").strip()
    question = pages.console_question(sql, language_of(request))
    if not sql:
        return _page(request, settings, question, Form({"sql": ""}), None, None)
    return await _asked_freely(request, settings, queries, user.id, question)


@router.post("/queries/saved")
async def save_query(
    request: Request, settings: SettingsDep, queries: Queries, user: Admin
) -> Response:
    """Keep a question under a name."""
    _open(settings.has_log_console)
    _ = language_of(request).gettext
    sent = await read_form(request)
    sql, name = sent.get("sql", "").strip(), " ".join(sent.get("name", "").split())
    errors: dict[str, str] = {}
    if not name or len(name) > MOST_NAME or not name.isprintable():
        errors["name"] = _("Please give it a name of up to 100 characters.")
    problem = None
    if not errors:
        try:
            saved = await _there(queries).save(name, sql, user.id)
        except StoreError as error:
            problem = _problem(request, error)
        else:
            toast = Toast(_("Saved: %(name)s") % {"name": saved.name})
            return redirect(request, f"{pages.BASE}/saved/{saved.id}", toast)
    question = pages.console_question(sql, language_of(request))
    form = Form({"sql": sql, **{field.name: "" for field in question.fields}})
    return _page(
        request, settings, question, form, None, problem, Form({"name": name}, errors), 422
    )


@router.post("/queries/saved/{query_id}/delete")
async def delete_query(
    request: Request, settings: SettingsDep, queries: Queries, user: Admin, query_id: int
) -> Response:
    """Take a saved question away."""
    _open(settings.has_log_console)
    _ = language_of(request).gettext
    try:
        saved = await _there(queries).delete(query_id, user.id)
    except StoreError as error:
        return redirect(request, pages.BASE, Toast(problem_of(request, error).title, "error"))
    return redirect(request, pages.BASE, Toast(_("Deleted: %(name)s") % {"name": saved.name}))


async def _asked_freely(
    request: Request, settings: SettingsDep, queries: Queries, user_id: int, question: Question
) -> Response:
    given = {name: value.strip() for name, value in request.query_params.items()}
    values = {field.name: given.get(field.name, "") for field in question.fields}
    form = Form({"sql": question.sql, **values})
    is_filled = all(field.name in given for field in question.fields)
    if not is_filled or request.headers.get("sec-fetch-site", "same-origin") == "cross-site":
        return _page(request, settings, question, form, None, None)
    try:
        if len(question.sql) > MOST_SQL:
            raise QueryFailed(f"The question has more than {MOST_SQL} characters.")
        answer = await _there(queries).ask_freely(
            question.sql, values, user_id, rows=_rows(request)
        )
    except StoreError as error:
        return _page(request, settings, question, form, None, _problem(request, error))
    return _page(request, settings, question, form, answer, None)


def _is_file(request: Request) -> bool:
    return request.query_params.get("view") == "csv"


def _rows(request: Request) -> int:
    return MOST_FILE_ROWS if _is_file(request) else MOST_ROWS


def _page(
    request: Request,
    settings: SettingsDep,
    question: Question,
    form: Form,
    answer: Answer | None,
    problem: Problem | None,
    save_form: Form | None = None,
    status: int = 200,
) -> Response:
    state = dict(request.query_params)
    if answer is not None and _is_file(request):
        name = question.url.rpartition("/")[2]
        headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
        return StreamingResponse(pages.csv_of(answer), 200, headers, "text/csv; charset=utf-8")
    page = pages.QuestionPage(
        question,
        form,
        save_form or Form({"name": ""}),
        answer,
        problem,
        pages.bars_of(answer, question.chart) if answer else (),
        pages.CONSOLE if settings.has_log_console else "",
        state,
    )
    return render(request, page, problem.status if problem else status)


def _problems(request: Request, question: Question, values: Mapping[str, str]) -> dict[str, str]:
    _ = language_of(request).gettext
    found = {}
    for field in question.fields:
        value = values[field.name]
        if not value:
            found[field.name] = _("Please fill this in.")
        elif field.kind == "number" and not (value.isascii() and value.isdigit()):
            found[field.name] = _("Please enter a whole number.")
        elif len(value) > (9 if field.kind == "number" else 500):
            found[field.name] = _("This is out of range.")
    return found


def _problem(request: Request, error: StoreError) -> Problem:
    """A question that makes no sense is the reader's to mend, anything else the store's."""
    if not isinstance(error, QueryFailed | StoreSchemaMissing):
        return problem_of(request, error)
    _ = language_of(request).gettext
    title = _("This question could not be answered.")
    advice = _("The reason, as the log or its database gives it:")
    return Problem(title, advice, str(error), 422)


def _there(queries: QueryService | None) -> QueryService:
    if queries is None:
        raise NoStore("Its logger is no EnhancedCSVLogger.")
    return queries


def _open(has_console: bool) -> None:  # noqa: FBT001 # a setting, said by the caller's name
    if not has_console:
        raise HTTPException(404)
