"""What the pages of questions to the trace log are given: ready ones, saved ones, the console."""

import csv
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final
from urllib.parse import quote, urlencode

from app.forms import Form
from app.i18n import Language
from app.lib.tracelog.schema import TABLES
from app.lib.tracelog.store.store import Cell
from app.routers.logs.reading import Problem
from app.services.logs.log_text import visible
from app.services.query_service import (
    MOST_FILE_ROWS,
    MOST_ROWS,
    SECONDS,
    Answer,
    SavedQuery,
    parameters_of,
)
from app.services.ready_queries import READY_QUERIES, Kind, Parameter, ReadyQuery
from app.templating import Template

BASE: Final = "/logs/queries"
CONSOLE: Final = "/logs/console"

MOST_BARS: Final = 100
MOST_CHARS: Final = 400
"""So much of a cell is shown; a file has all of it."""

MOST_BYTES: Final = 16_000
"""A page ends with the row after which its cells weigh so much, compressed."""

_FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Field:
    """A `:name` of a question as a form field."""

    name: str
    kind: Kind
    label: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A question as its page shows it. `key` is empty for the console; `saved_id` of saved ones."""

    url: str
    title: str
    meaning: str
    sql: str
    fields: tuple[Field, ...]
    chart: tuple[str, str] | None = None
    saved_id: int | None = None
    is_console: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart: `share` is its length, from 0 to 100."""

    label: str
    value: float
    share: float


@dataclass(frozen=True, slots=True)
class Card:
    """A question in the library."""

    url: str
    title: str
    meaning: str


@dataclass(frozen=True, slots=True)
class LibraryPage(Template):
    template: ClassVar[str] = "logs/queries.html"
    groups: Sequence[tuple[str, Sequence[Card]]]
    saved: Sequence[SavedQuery]
    problem: Problem | None
    console: str


@dataclass(frozen=True, slots=True)
class QuestionPage(Template):
    """A question with its form, and its answer, its problem, or neither where it was not asked."""

    template: ClassVar[str] = "logs/query.html"
    question: Question
    form: Form
    save_form: Form
    answer: Answer | None
    problem: Problem | None
    bars: Sequence[Bar]
    console: str
    state: Mapping[str, str]

    def view_url(self, view: str) -> str:
        """The URL of this answer as a table, a chart or a file."""
        kept = {name: value for name, value in self.state.items() if name != "view"}
        return f"{self.question.url}?{urlencode({**kept, 'view': view} if view else kept)}"

    @property
    def shows_chart(self) -> bool:
        return self.state.get("view") == "chart" and bool(self.bars)

    def context(self) -> dict[str, object]:
        rows = rows_of(self.answer) if self.answer else []
        extra = {
            "view_url": self.view_url,
            "shows_chart": self.shows_chart,
            "rows": rows,
            "tables": TABLES.values(),
        }
        # Not super(): a dataclass with slots is another class than the one that is written here.
        return Template.context(self) | extra


def library(language: Language) -> list[tuple[str, list[Card]]]:
    """The ready questions by group, in words."""
    _ = language.gettext
    titles = {"errors": _("What went wrong"), "analysis": _("How it is used")}
    groups: dict[str, list[Card]] = {group: [] for group in titles}
    for query in READY_QUERIES:
        title, meaning = words(language)[query.key]
        groups[query.group].append(Card(f"{BASE}/{query.key}", title, meaning))
    return [(titles[group], cards) for group, cards in groups.items()]


def ready_question(query: ReadyQuery, language: Language) -> Question:
    title, meaning = words(language)[query.key]
    fields = tuple(_field(parameter, language) for parameter in query.parameters)
    return Question(f"{BASE}/{query.key}", title, meaning, query.sql, fields, query.chart)


def saved_question(saved: SavedQuery) -> Question:
    return Question(
        f"{BASE}/saved/{saved.id}",
        saved.name,
        "",
        saved.sql,
        _free_fields(saved.sql),
        None,
        saved.id,
    )


def console_question(sql: str, language: Language) -> Question:
    _ = language.gettext
    meaning = _(
        "One question in SQLite's SQL. It can only read, takes at most %(seconds)s seconds and "
        "gives at most %(rows)s rows, as a file %(file_rows)s; each one is recorded in this log. "
        "Write :name for a value to be asked for."
    ) % {
        "seconds": f"{SECONDS:g}",
        "rows": f"{MOST_ROWS:,}",
        "file_rows": f"{MOST_FILE_ROWS:,}",
    }
    return Question(CONSOLE, _("SQL console"), meaning, sql, _free_fields(sql), is_console=True)


def console_url(sql: str) -> str:
    return f"{CONSOLE}?sql={quote(sql)}"


def bars_of(answer: Answer, chart: tuple[str, str] | None) -> list[Bar]:
    """An answer as bars; none where it has no column of labels with one of numbers."""
    place = _columns(answer, chart)
    if place is None:
        return []
    label, value = place
    numbers = [(row[label], row[value]) for row in answer.rows[:MOST_BARS]]
    sized = [(_text(name), float(n)) for name, n in numbers if isinstance(n, (int, float))]
    largest = max((abs(n) for _, n in sized), default=0.0) or 1.0
    return [Bar(name, n, round(100 * max(n, 0.0) / largest, 2)) for name, n in sized]


def rows_of(answer: Answer) -> list[tuple[Cell, ...]]:
    """The rows of an answer as far as a page carries them, and each cell as far as it is read."""
    packer, weight = zlib.compressobj(), 0
    shown: list[tuple[Cell, ...]] = []
    for row in answer.rows:
        cells = tuple(_short(cell) for cell in row)
        packed = packer.compress("\n".join(map(str, cells)).encode(errors="replace"))
        weight += len(packed) + len(packer.flush(zlib.Z_SYNC_FLUSH))
        if weight > MOST_BYTES and shown:
            break
        shown.append(cells)
    return shown


def csv_of(answer: Answer) -> Iterator[bytes]:
    """An answer as a file that spreadsheets open rightly: marked as UTF-8, without formulas."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    yield b"\xef\xbb\xbf"
    for row in ([*answer.columns], *answer.rows):
        writer.writerow([_harmless(cell) for cell in row])
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()


def _columns(answer: Answer, chart: tuple[str, str] | None) -> tuple[int, int] | None:
    if chart is not None and set(chart) <= set(answer.columns):
        return answer.columns.index(chart[0]), answer.columns.index(chart[1])
    if not len(answer.rows) >= 2 or len(answer.columns) < 2:
        return None
    first = answer.rows[0]
    texts = [i for i, cell in enumerate(first) if isinstance(cell, str)]
    numbers = [
        i
        for i, cell in enumerate(first)
        if isinstance(cell, (int, float)) and answer.columns[i] not in {"id", "user_id"}
    ]
    return (texts[0], numbers[0]) if texts and numbers else None


def _short(cell: Cell) -> Cell:
    if cell is None or isinstance(cell, (int, float)):
        return cell
    text = str(cell)
    return visible(text if len(text) <= MOST_CHARS else f"{text[:MOST_CHARS]}…")


def _text(cell: Cell) -> str:
    return "–" if cell is None else str(cell)


def _harmless(cell: Cell) -> str:
    """A cell as text that no spreadsheet takes for a formula, or rounds."""
    if cell is None:
        return ""
    text = str(cell)
    if isinstance(cell, str):
        return f"'{text}" if text.startswith(_FORMULA_SIGNS) else text
    return f"'{text}" if isinstance(cell, int) and abs(cell) >= 10**15 else text


def _field(parameter: Parameter, language: Language) -> Field:
    label = labels(language)[parameter.name]
    return Field(parameter.name, parameter.kind, label)


def _free_fields(sql: str) -> tuple[Field, ...]:
    return tuple(Field(name, "text", f":{name}") for name in parameters_of(sql))


def labels(language: Language) -> dict[str, str]:
    """What the parameters of the ready questions are called."""
    _ = language.gettext
    return {
        "hours": _("Hours back from now"),
        "trace_id": _("Trace ID"),
        "words": _("Words in the message"),
        "user_id": _("User ID"),
        "body": _("Words in the body"),
        "at_least_ms": _("At least so many milliseconds"),
    }


def words(language: Language) -> dict[str, tuple[str, str]]:
    """Title and meaning of each ready question, by its key."""
    _ = language.gettext
    return {
        "failed-steps-of-500s": (
            _("Which step broke"),
            _("For each request that ended with 500 or above: the step that failed, and why."),
        ),
        "trace-in-order": (
            _("What a trace did in order"),
            _("Requests and steps under one trace ID, as they happened."),
        ),
        "most-failing-steps": (
            _("Most failing steps"),
            _("Steps by how often they failed, with the share of their runs."),
        ),
        "error-messages": (
            _("Most frequent messages"),
            _("What failed steps said, by how often they said it."),
        ),
        "new-errors": (
            _("New errors"),
            _("Messages that were not seen in the two weeks before."),
        ),
        "traces-with-error": (
            _("Traces with a message"),
            _("Failed steps whose message has these words in it."),
        ),
        "steps-without-end": (
            _("Steps without an end"),
            _("What began and neither succeeded nor failed: still running, or killed."),
        ),
        "retried-steps": (
            _("Retried steps"),
            _("Steps that were started more than once in one trace."),
        ),
        "refused-addresses": (
            _("Refused addresses"),
            _("Who got the most answers such as 401, 404 or 429."),
        ),
        "clients-that-left": (
            _("Clients that left"),
            _("Routes where people did not wait for the answer, and how long they had."),
        ),
        "user-actions": (
            _("A user's last actions"),
            _("What one user asked for, newest first."),
        ),
        "requests-with-words": (
            _("Requests with these words"),
            _("Who sent, or was answered, a body that has these words in it."),
        ),
        "slowest-routes": (
            _("Slowest routes"),
            _("Routes by their slow answers: 95 of 100 came within this time."),
        ),
        "slowest-requests": (
            _("Slowest requests"),
            _("Single requests by how long they took."),
        ),
        "errors-by-hour": (
            _("Error rate by hour"),
            _("The share of requests that ended with 500 or above."),
        ),
        "traffic-by-hour": (
            _("Requests by hour"),
            _("Requests, different users and the mean time."),
        ),
        "statuses-by-route": (
            _("Statuses by route"),
            _("How the requests of each route ended."),
        ),
        "largest-bodies": (
            _("Largest bodies"),
            _("Who sent the most in one request."),
        ),
        "busiest-users": (
            _("Busiest users"),
            _("Users by number of requests, with changes and failures."),
        ),
        "step-durations": (
            _("How long steps take"),
            _("Mean and longest time from a step's start to its end."),
        ),
        "browsers": (
            _("Browsers"),
            _("What the requests came from, and how many failed."),
        ),
    }
