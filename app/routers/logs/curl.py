"""A logged request as a curl command, with placeholders where the log holds no value."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote_plus

from app.lib.tracelog.redaction.plain import MARKER
from app.schemas.log import RequestView
from app.services.logs.log_text import visible

# Those that curl writes itself, and those that would put what is sent again into the old trace.
_LEFT_OUT: Final = frozenset(
    {"host", "content-length", "connection", "accept-encoding", "transfer-encoding"}
    | {"traceparent", "tracestate", "x-trace-id"}
)
_NO_BODY: Final = frozenset({"GET", "HEAD"})
_FORM: Final = "application/x-www-form-urlencoded"
_MULTIPART: Final = "multipart/form-data"
_NOTES: Final = frozenset({":cut", ":encoding", ":size", ":text", ":type", ":unreadable"})
_SECRET: Final = "$SECRET"  # noqa: S105 # stands for one
_GLOB: Final = re.compile(r"[\[\]{}]")
_WHOLE_BODY: Final = ("--data-raw", "$BODY")


def curl_command(request: RequestView, origin: str) -> str:
    """The command, over several lines. What the log does not hold stands as `$NAME`."""
    headers = _headers(request)
    query = request.facts.get("query", "")
    url = f"{origin}{request.line.endpoint}" + (f"?{query}" if query else "")
    # By itself curl takes `[1-99]` for many requests, and `filter[name]` for a mistake.
    curl = "curl -g" if _GLOB.search(url) else "curl"
    lines = [(curl, url.replace(MARKER, _SECRET))]
    if request.line.method != "GET":
        lines.append(("-X", request.line.method))
    body = list(_body(request, headers.get("content-type", [""])[0]))
    draws_boundary = bool(body) and body[0][0] in {"-F", "--form-string"}
    for name, values in headers.items():
        if name in _LEFT_OUT or (name == "content-type" and draws_boundary):
            continue
        for value in values:
            lines.append(("-H", f"{name}: {value.replace(MARKER, _placeholder(name))}"))
    return visible(" \\\n  ".join(f"{option} {shlex.quote(text)}" for option, text in lines + body))


def _headers(request: RequestView) -> Mapping[str, list[str]]:
    if request.headers is None or not request.headers.is_json:
        return {}
    parsed = json.loads(request.headers.text)
    if not isinstance(parsed, dict):
        return {}
    return {name.lower(): [str(value) for value in _each(parsed[name])] for name in parsed}


def _body(request: RequestView, content_type: str) -> Iterator[tuple[str, str]]:
    body = request.request_body
    if body is None or request.line.method in _NO_BODY:
        return
    data = json.loads(body.text) if body.is_json else None
    mime = content_type.partition(";")[0].strip().lower()
    if mime == _MULTIPART and isinstance(data, dict) and (parts := list(_parts(data))):
        yield from parts
    elif body.cut or _is_note(data):
        yield _WHOLE_BODY
    elif mime == _FORM and isinstance(data, dict):
        yield from _fields(data)
    else:
        yield "--data-raw", body.text.replace(MARKER, _SECRET)


def _is_note(data: object) -> bool:
    """Whether the log tells something of the body, rather than all that was in it."""
    if isinstance(data, list):
        return bool(data) and _is_note(data[-1])
    return isinstance(data, dict) and not _NOTES.isdisjoint(data)


def _fields(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, values in data.items():
        for value in _each(values):
            text = str(value).replace(MARKER, _SECRET)
            if name:
                yield "--data-urlencode", f"{quote_plus(name)}={text}"
            else:
                yield "--data-raw", f"={quote_plus(text)}"


def _parts(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, values in data.items():
        for value in () if name in _NOTES else _each(values):
            if isinstance(value, str):
                yield "--form-string", f"{name}={value.replace(MARKER, _SECRET)}"
            elif not isinstance(value, dict) or ":file" not in value:
                yield "--form-string", f"{name}={_placeholder(name)}"
            elif value[":file"]:  # else none was chosen
                filename = re.sub(r'(["\\])', r"\\\1", value[":file"])
                kind = f";type={value[':type']}" if ":type" in value else ""
                yield "-F", f'{name}=@"{filename}"{kind}'


def _each(values: Any) -> list[Any]:
    return values if isinstance(values, list) else [values]


def _placeholder(name: str) -> str:
    return f"${re.sub('[^A-Z0-9]', '_', name.upper())}"
