"""Raw bodies as JSON text in UTF-8 for `request_body` and `response_body`.

JSON and forms are shown as JSON, plain text as a string, all other things by type and size. Keys
that begin with a colon are this module's notes: `":type"`, `":size"` (bytes of the whole body),
`":cut"` (the same, where only the beginning was kept or read), `":text"`, `":encoding"`,
`":unreadable"`.
"""

import re
from typing import Final

import orjson

from app.lib.tracelog.capture.charsets import json_utf8, text_utf8
from app.lib.tracelog.capture.cut_json import Prefix, read_prefix
from app.lib.tracelog.capture.form_bodies import form_data, multipart_data
from app.lib.tracelog.capture.multipart import Parts
from app.lib.tracelog.codec import one_line
from app.lib.tracelog.redaction.keys.kin import hide_undecided
from app.lib.tracelog.redaction.parsing import loads, parse
from app.lib.tracelog.redaction.plain import CUT_KEY, Plain
from app.lib.tracelog.redaction.redactor import Redactor

SLACK: Final = 512
"""How many bytes longer than `cap` the JSON text of a body can be."""

_PLAIN_JSON: Final = frozenset(
    {b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8"}
    | {b"application/json; charset=UTF-8", b"application/json;charset=UTF-8"}
)

_MIME: Final = re.compile(r"[a-z0-9][a-z0-9.+\-]{0,60}/[a-z0-9][a-z0-9.+\-]{0,80}")
_LINES: Final = frozenset(
    {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"}
)
_MAX_LINES: Final = 1000
_MAX_STRANGE: Final = 20
"""Of how many lines that are no JSON the beginning is looked for: it takes more than the rest."""

_TEXTS: Final = frozenset({"text/plain", "text/markdown", "application/graphql"})


def body_json(
    redactor: Redactor,
    content_type: bytes,
    body: bytes,
    *,
    total: int,
    cap: int,
    content_encoding: bytes = b"",
    html: bool = False,
    whole: bool = True,
    parts: Parts | None = None,
) -> bytes | None:
    """A body as JSON text without secrets; None for a whole one that is empty. Never raises.

    `body` is its first `cap` bytes, `total` the size of the whole, or of what came where it is not
    `whole`. `html` shows HTML as text. `parts` are those of a multipart form that is longer than
    `body`. The result has at most `cap + SLACK` bytes and no character that some reader takes for
    the end of a line.
    """
    total = max(total, len(body))
    if total == 0 and whole:
        return None
    try:
        text = None
        if content_type in _PLAIN_JSON and total <= cap and not content_encoding and whole:
            text = _whole_json(redactor, body, total)
        if text is None:
            body = body[:cap]
            cut = len(body) < total or not whole
            shown = _shown(
                redactor,
                content_type,
                body,
                total,
                content_encoding,
                parts,
                cut=cut,
                html=html,
                whole=whole,
            )
            text = _json_text(shown)
        return text if len(text) <= cap + SLACK else _shortened(text, total, cap)
    # A request must not fail over its record; what is not understood is hidden.
    except Exception:  # noqa: BLE001
        return b'{":unreadable":%d}' % total


def _whole_json(redactor: Redactor, body: bytes, total: int) -> bytes | None:
    """Complete JSON without secrets; None where it has to be read in another way."""
    if len(body) < total:
        return None
    try:
        text, on_one_line = redactor.data.json(body)
    except orjson.JSONDecodeError:
        return None
    return text if on_one_line else one_line(text)


def _shown(
    redactor: Redactor,
    content_type: bytes,
    body: bytes,
    total: int,
    content_encoding: bytes,
    parts: Parts | None,
    *,
    cut: bool,
    html: bool,
    whole: bool,
) -> Plain:
    mime = _mime(redactor, content_type)
    about: dict[str, Plain] = {":type": mime, ":size" if whole else CUT_KEY: total}
    encoding = content_encoding.strip().lower()
    if encoding not in (b"", b"identity"):
        return {**about, ":encoding": redactor.text(encoding[:40].decode("latin-1"))}
    if mime.endswith(("/json", "+json", "/x-json", "/csp-report")):
        return _json(redactor, json_utf8(content_type, body), total, cut=cut)
    if mime in _LINES:
        return _json_lines(redactor, body, total, cut=cut)
    if mime == "application/x-www-form-urlencoded":
        fields = form_data(redactor, body, cut=cut)
        return {**fields, CUT_KEY: total} if cut else fields
    if mime == "multipart/form-data":
        form = multipart_data(redactor, content_type, body, cut=cut, parts=parts)
        if form is None:
            return about
        return {**form, CUT_KEY: total} if cut else form
    if mime in _TEXTS or (html and mime in ("text/html", "application/xhtml+xml")):
        text = text_utf8(content_type, body)
        return about if text is None else _text(redactor, text, total, cut=cut)
    if not mime and body.lstrip()[:1] in (b"{", b"["):
        return _json(redactor, body, total, cut=cut)
    return about


def _mime(redactor: Redactor, content_type: bytes) -> str:
    mime = content_type.partition(b";")[0].strip().lower().decode("latin-1")
    return redactor.text(mime) if _MIME.fullmatch(mime) else ""


def _json(redactor: Redactor, body: bytes, total: int, *, cut: bool) -> Plain:
    if not cut:
        try:
            data = loads(body)
        except orjson.JSONDecodeError:
            pass
        else:
            return redactor.data.redact(data)
        try:
            return redactor.data.redact(parse(body))
        except (ValueError, RecursionError):
            pass
    return _beginning(redactor, body, CUT_KEY if cut else ":unreadable", total)


def _beginning(
    redactor: Redactor, body: bytes, key: str, total: int, *, look: bool = True
) -> Plain:
    """What can be read of JSON that is cut or wrong, with `key` for a note of its size."""
    prefix = read_prefix(body.removeprefix(b"\xef\xbb\xbf")) if look else None
    if prefix is None:
        return {key: total}
    _hide_undecided(redactor, prefix)
    return _marked(_redacted(redactor, prefix.value), key, total)


def _redacted(redactor: Redactor, data: Plain) -> Plain:
    """Data without secrets. As JSON most of it can be seen to have none, which takes less time."""
    try:
        shown: Plain = orjson.loads(redactor.data.json(orjson.dumps(data))[0])
    except orjson.JSONEncodeError:  # halves of characters
        return redactor.data.redact(data)
    return shown


def _hide_undecided(redactor: Redactor, prefix: Prefix) -> None:
    """Hide the `value` of an object whose end, where its `name` may have stood, is missing.

    And what else would be a secret beside what may have stood there.
    """
    for node in prefix.open:
        if isinstance(node, dict):
            hide_undecided(node, redactor.judge)


def _json_lines(redactor: Redactor, body: bytes, total: int, *, cut: bool) -> Plain:
    lines = body.split(b"\n")
    if cut:
        lines.pop()
    lines = [line for line in map(bytes.strip, lines) if line]
    shown: list[Plain] = []
    strange = 0
    for line in lines[:_MAX_LINES]:
        try:
            shown.append(redactor.data.redact(parse(line)))
        except (ValueError, RecursionError):
            strange += 1
            is_one_of_few = strange <= _MAX_STRANGE
            shown.append(_beginning(redactor, line, ":unreadable", len(line), look=is_one_of_few))
    return [*shown, {CUT_KEY: total}] if cut or len(lines) > _MAX_LINES else shown


def _text(redactor: Redactor, body: bytes, total: int, *, cut: bool) -> Plain:
    if body.lstrip()[:1] in (b"{", b"["):
        # Browsers send JSON as text/plain when nobody says otherwise.
        try:
            data = None if cut else parse(body)
        except (ValueError, RecursionError):
            data = None
        if cut and (prefix := read_prefix(body)) and prefix.value:
            return _json(redactor, body, total, cut=True)
        if data is not None:
            return redactor.data.redact(data)
    text = body.decode(errors="ignore" if cut else "replace")
    if "\0" in text:
        # As of UTF-16 that does not say so: a secret would not be seen, but by people.
        dense = text.replace("\0", "")
        text = text if redactor.text(dense) == dense else dense
    if cut:
        return {":text": redactor.texts.cut(text), CUT_KEY: total}
    return redactor.text(text)


def _json_text(data: Plain) -> bytes:
    return one_line(orjson.dumps(data))


def _shortened(text: bytes, total: int, cap: int) -> bytes:
    """As much of redacted JSON as fits; escapes and markers can make it longer than the body."""
    whole = orjson.loads(text)
    plain_text = whole.get(":text") if isinstance(whole, dict) else whole
    if isinstance(plain_text, str):
        return _json_text({":text": plain_text[: cap // 6], CUT_KEY: total})
    prefix = read_prefix(text[:cap])
    return _json_text(_marked(prefix.value if prefix else None, CUT_KEY, total))


def _marked(data: Plain, key: str, total: int) -> Plain:
    """Data with a note at its end that it is not all there was."""
    if isinstance(data, list):
        return [*data, {key: total}]
    return {**data, key: total} if isinstance(data, dict) else {key: total}
