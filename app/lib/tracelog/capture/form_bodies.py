"""Forms as data: URL-encoded ones with their values, multipart ones without their files."""

from typing import Final
from urllib.parse import unquote, unquote_to_bytes

from app.lib.tracelog.capture.field_text import decode
from app.lib.tracelog.capture.multipart import Part, Parts, parameters
from app.lib.tracelog.redaction.keys.kin import hide_undecided
from app.lib.tracelog.redaction.keys.rules import Rule
from app.lib.tracelog.redaction.plain import CUT_KEY, MARKER, Plain, clean
from app.lib.tracelog.redaction.redactor import Redactor

MAX_FIELDS: Final = 1000
_PLAIN_ENCODINGS: Final = frozenset({"", "7bit", "8bit", "binary"})


def form_data(redactor: Redactor, body: bytes, *, cut: bool) -> dict[str, Plain]:
    """A URL-encoded form; repeated fields become lists. Of a cut one the last field is left out."""
    pieces = body.split(b"&")
    if cut:
        pieces.pop()
    fields: dict[str, Plain] = {}
    for piece in pieces[:MAX_FIELDS]:
        if not piece:
            continue
        name, _, value = piece.partition(b"=")
        key, readable = _decode(name)
        add_field(fields, key, _decode(value)[0] if readable else MARKER)
    if len(pieces) > MAX_FIELDS:
        fields[CUT_KEY] = len(pieces)
    if cut:
        hide_undecided(fields, redactor.judge)
    redacted = redactor.data.redact(fields)
    return redacted if isinstance(redacted, dict) else {}


def add_field(fields: dict[str, Plain], key: str, value: Plain) -> None:
    """Put a field beside others of its name."""
    if key not in fields:
        fields[key] = value
        return
    earlier = fields[key]
    if isinstance(earlier, list):
        earlier.append(value)
    else:
        fields[key] = [earlier, value]


def multipart_data(
    redactor: Redactor, content_type: bytes, body: bytes, *, cut: bool, parts: Parts | None
) -> dict[str, Plain] | None:
    """A multipart form: files as `{":file", ":type", ":size"}`, text fields redacted.

    None where it cannot be read. A field whose end was not seen is `{":cut": true}`, and one that
    is not kept has its size there. `parts` has read the body where `body` is not all of it.
    """
    if parts is None:
        if (parts := Parts.of(content_type)) is None:
            return None
        if b"\r\n" in body:
            parts.feed(body, keep=True)
        else:
            parts.feed(body.replace(b"\n", b"\r\n"), keep=True)
            for part in parts.end():
                part.content = part.content.replace(b"\r\n", b"\n")
                part.size = len(part.content)
    fields: dict[str, Plain] = {}
    for part in parts.end():
        headers = part.headers()
        of_form = parameters(headers.get("content-disposition", ""))
        name = clean(of_form.get("name", ""))
        shown = _shown(redactor, name, of_form.get("filename"), part, headers)
        add_field(fields, redactor.data.key(name), shown)
    if not fields and not cut:
        return None
    if parts.count > len(parts.found):
        fields[CUT_KEY] = parts.count
    if cut:
        hide_undecided(fields, redactor.judge)
    # Once more, for what fields make of each other.
    redacted = redactor.data.redact(fields)
    return redacted if isinstance(redacted, dict) else {}


def _shown(
    redactor: Redactor, name: str, filename: str | None, part: Part, headers: dict[str, str]
) -> Plain:
    content_type = headers.get("content-type", "")
    if filename is not None:
        about: dict[str, Plain] = {":file": redactor.text(clean(filename))}
        if content_type:
            about[":type"] = redactor.text(content_type)
        return {**about, ":size": part.size} if part.complete else {**about, CUT_KEY: True}
    keys = {name, unquote(name, errors="replace")}
    if not name or any("\ufffd" in key or redactor.judge(key) is Rule.HIDE for key in keys):
        return MARKER
    if not part.complete:
        return {CUT_KEY: True}
    if len(part.content) < part.size:
        return {CUT_KEY: part.size}
    kind = content_type.partition(";")[0].strip().lower()
    encoding = headers.get("content-transfer-encoding", "").lower()
    text, readable = decode(bytes(part.content))
    if kind not in ("", "text/plain", "application/json") or encoding not in _PLAIN_ENCODINGS:
        return {":type": redactor.text(content_type), ":size": part.size}
    if not readable:
        return {":size": part.size}
    shown = redactor.data.redact({name: text})
    return next(iter(shown.values())) if isinstance(shown, dict) else MARKER


def _decode(raw: bytes) -> tuple[str, bool]:
    return decode(unquote_to_bytes(raw.replace(b"+", b" ")))
