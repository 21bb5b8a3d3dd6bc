"""HTML out of templates: pages, partials for htmx, and what every page knows."""

import base64
import binascii
import dataclasses
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cache, partial
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup, escape

from app import i18n
from app.assets import asset_url
from app.compiled_templates import CompiledTemplates
from app.config import Settings
from app.config_values import PROVIDERS
from app.cookies import FLASH, LANGUAGE, THEME, TIME_ZONE, delete_cookie, read_cookie, set_cookie
from app.lib.tracelog.trace import current_trace
from app.product import NAME

TEMPLATES: Final = Path(__file__).parent / "templates"
THEMES: Final = ("system", "light", "dark")
VARY: Final = "Cookie, Accept-Language, HX-Request, HX-Request-Type"

_FLASH_SECONDS: Final = 60
_FLASH_BYTES: Final = 3000  # browsers refuse cookies beyond 4096, name and attributes included
_PROCESS_SECRET: Final = secrets.token_hex()  # signs where no SECRET_KEY is set


@dataclass(frozen=True, slots=True)
class Viewer:
    """The signed-in user, as templates know them."""

    id: int
    name: str
    email: str
    is_admin: bool
    jobs: int = 0
    """How many of the user's jobs go on, where this browser has queued some."""
    since: str = ""
    """When that was looked at, for the stream that tells how it goes on."""


@dataclass(frozen=True, slots=True)
class Undo:
    """The way back: a form that posts `ids` to `path`, and whose answer replaces `target`."""

    path: str
    target: str
    """The id of an element of the page."""
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Toast:
    """What just happened, in the reader's words, and perhaps the way back.

    `sign_in` offers to do that in another window, so that this page stays as it is.
    """

    text: str
    kind: Literal["success", "info", "error"] = "success"
    undo: Undo | None = None
    trace_id: str = ""
    sign_in: bool = False


class Template:
    """The typed context of one template: each field is a variable of that name."""

    template: ClassVar[str]

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def context(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}


def viewer_of(request: Request) -> Viewer | None:
    """Who is signed in, once `current_user` has found out."""
    return getattr(request.state, "viewer", None)


def language_of(request: Request) -> i18n.Language:
    """The language to answer in."""
    return i18n.negotiate(
        read_cookie(request, LANGUAGE), request.headers.get("accept-language", "")
    )


def time_zone_of(request: Request) -> tzinfo:
    """The reader's time zone, once the page's script has told it; before, that of the settings."""
    settings: Settings = request.app.state.settings
    return i18n.time_zone(request.cookies.get(TIME_ZONE) or settings.time_zone)


def is_partial(request: Request) -> bool:
    """Whether htmx asks for a part of the page: then no layout around it."""
    headers = request.headers
    return (
        headers.get("hx-request-type") == "partial" and "hx-history-restore-request" not in headers
    )


def render(
    request: Request,
    template: Template,
    status: int = 200,
    *,
    toast: Toast | None = None,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """The response of a template. A toast joins a partial; a page shows the one left for it."""
    partial_wanted = is_partial(request)
    flash = None if partial_wanted else (toast or _read_flash(request))
    context = _shared(request) | template.context() | {"flash": flash}
    environment = _environment(language_of(request).code)
    html = environment.get_template(template.template).render(context)
    if partial_wanted and toast is not None:
        html += environment.get_template("_toast_partial.html").render(context | {"toast": toast})
    response = HTMLResponse(html, status, headers={"Vary": VARY, **(headers or {})})
    if flash is not None and toast is None:
        delete_cookie(response, request.app.state.settings, FLASH)
    return response


def render_text(request: Request, template: Template) -> str:
    """What a template makes, for a message of a stream."""
    context = _shared(request) | template.context()
    environment = _environment(language_of(request).code)
    return environment.get_template(template.template).render(context)


def redirect(request: Request, path: str, toast: Toast | None = None) -> Response:
    """Send the browser to a local path by GET; `toast` is shown there."""
    response: Response = RedirectResponse(path, 303)
    if request.headers.get("hx-request") == "true":
        # fetch would follow a 303 by itself and htmx would swap a page into a fragment's place.
        response = Response(headers={"HX-Redirect": response.headers["location"]})
    if toast is not None:
        settings: Settings = request.app.state.settings
        set_cookie(response, settings, FLASH, _write_flash(request, toast), max_age=_FLASH_SECONDS)
    return response


def _shared(request: Request) -> dict[str, Any]:
    """What every template knows."""
    language, zone = language_of(request), time_zone_of(request)
    theme = read_cookie(request, THEME)
    trace = current_trace()
    return {
        "language": language,
        "languages": i18n.LABELS,
        "theme": theme if theme in THEMES else "system",
        "viewer": viewer_of(request),
        "path": request.url.path,
        "trace_id": trace.trace_id if trace else "",
        "today": datetime.now(zone).date(),
        "day": language.day,
        "number": language.number,
        "moment": partial(language.moment, zone=zone),
        "ago": partial(language.ago, zone=zone),
    }


def template_names(*folders: str) -> list[str]:
    """The templates in these folders, in all where none is named."""
    names = _environment(i18n.DEFAULT).list_templates()
    return [name for name in names if not folders or name.split("/", 1)[0] in folders]


def read_template(name: str) -> None:
    """Read and compile a template, for whoever asks for it later."""
    for code in i18n.LABELS:
        _environment(code).get_template(name)


@cache
def _compiled(folder: Path) -> CompiledTemplates:
    # What is set in this file, and the filters, decide what templates are compiled to.
    return CompiledTemplates(folder, made_by=Path(__file__).read_bytes())


@cache
def _environment(code: str) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        bytecode_cache=_compiled(TEMPLATES.parent / "__pycache__"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    # The extension adds this method to the environment.
    environment.install_gettext_translations(  # type: ignore[attr-defined]
        i18n.language(code).translations, newstyle=True
    )
    environment.globals["_"] = _texts(i18n.language(code))
    environment.globals["asset"] = asset_url
    environment.globals["product"] = NAME
    environment.globals["provider_titles"] = PROVIDERS
    environment.filters["utc"] = _utc
    environment.filters["code_spans"] = _code_spans
    return environment


def _texts(language: i18n.Language) -> Callable[..., Markup]:
    """What Jinja's own `_` gives, which goes through the template's context twice for each text."""

    @cache
    def whole(text: str) -> Markup:
        return with_values(text)

    def with_values(text: str, /, **values: object) -> Markup:
        return Markup(language.gettext(text)) % values  # noqa: S704 # the catalogue's

    return lambda text, /, **values: with_values(text, **values) if values else whole(text)


def _utc(value: datetime) -> str:
    """A moment for the `datetime` attribute of `<time>`."""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


def _code_spans(text: str) -> Markup:
    """What stands between backticks, as code; everything else as it is."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 # escaped


def _flash_key(request: Request) -> bytes:
    settings: Settings = request.app.state.settings
    secret = settings.secret_key.get_secret_value() or _PROCESS_SECRET
    return hashlib.sha256(b"flash:" + secret.encode()).digest()


def _write_flash(request: Request, toast: Toast) -> str:
    payload = base64.urlsafe_b64encode(
        json.dumps(dataclasses.astuple(toast), ensure_ascii=False, separators=(",", ":")).encode()
    )
    if len(payload) > _FLASH_BYTES:
        return _write_flash(request, dataclasses.replace(toast, undo=None))
    signature = hmac.digest(_flash_key(request), payload, "sha256").hex()
    return f"{payload.decode()}.{signature}"


def _read_flash(request: Request) -> Toast | None:
    payload, _, signature = read_cookie(request, FLASH).partition(".")
    expected = hmac.digest(_flash_key(request), payload.encode(), "sha256").hex()
    if not payload or not hmac.compare_digest(signature.encode(), expected.encode()):
        return None
    try:
        text, kind, undo, trace_id, sign_in = json.loads(base64.urlsafe_b64decode(payload))
    except (binascii.Error, ValueError):
        return None
    return Toast(text, kind, Undo(*undo) if undo else None, trace_id, sign_in)
