"""A logged request as a curl command, with placeholders where secrets were taken out."""

import json
import re
import shlex
from collections.abc import Mapping
from typing import Final

from app.lib.tracelog.redaction.plain import MARKER
from app.schemas.log import RequestView
from app.services.logs.log_text import visible

_LEFT_OUT: Final = frozenset(
    {"host", "content-length", "connection", "accept-encoding", "transfer-encoding"}
)
_NO_BODY: Final = frozenset({"GET", "HEAD"})


def curl_command(request: RequestView, origin: str) -> str:
    """The command, over several lines. What the log does not hold stands as `$NAME`."""
    headers = _headers(request)
    query = request.facts.get("query", "")
    url = f"{origin}{request.line.endpoint}" + (f"?{query}" if query else "")
    parts = [f"curl {shlex.quote(url.replace(MARKER, '$SECRET'))}"]
    if request.line.method != "GET":
        parts.append(f"-X {shlex.quote(request.line.method)}")
    for name, value in headers.items():
        if name.lower() not in _LEFT_OUT:
            placeholder = f"${re.sub('[^A-Z0-9]', '_', name.upper())}"
            shown = value.replace(MARKER, placeholder)
            parts.append(f"-H {shlex.quote(f'{name}: {shown}')}")
    if request.request_body and request.line.method not in _NO_BODY:
        body = request.request_body
        text = "$BODY" if body.cut else body.text.replace(MARKER, "$SECRET")
        parts.append(f"--data-raw {shlex.quote(text)}")
    return visible(" \\\n  ".join(parts))


def _headers(request: RequestView) -> Mapping[str, str]:
    if request.headers is None or not request.headers.is_json:
        return {}
    parsed = json.loads(request.headers.text)
    if not isinstance(parsed, dict):
        return {}
    return {str(name): str(value) for name, value in parsed.items()}
