"""Forms as data: URL-encoded ones with their values, multipart ones without their files."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, unquote_to_bytes

from app.lib.tracelog.redaction.kin import hide_undecided
from app.lib.tracelog.redaction.plain import CUT_KEY, MARKER, Plain, clean
from app.lib.tracelog.redaction.redactor import Redactor
from app.lib.tracelog.redaction.rules import Rule

MAX_FIELDS: Final = 1000
_JAPANESE: Final = ("cp932", "euc_jp")
_NO_TEXT: Final = re.compile("[\x80-\x9f\ue000-\uf8ff]")
_BOUNDARY: Final = re.compile(rb'boundary=(?:"([^"]{1,200})"|([^\s";,]{1,200}))', re.IGNORECASE)
_PARAMETER: Final = re.compile(r';\s{0,8}([\w\-]{1,40}\*?)=(?:"((?:[^"\\]++|\\.)*+)"?|([^\s;"]*+))')
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


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a multipart body. `complete` says whether its end was seen."""

    headers: dict[str, str]
    content: bytes
    complete: bool

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")

    def parameters(self) -> dict[str, str]:
        """The parameters of its Content-Disposition: `name`, `filename` and others."""
        found = {}
        for name, quoted, bare in _PARAMETER.findall(self.headers.get("content-disposition", "")):
            value = re.sub(r"\\(.)", r"\1", quoted) or bare
            if name.endswith("*"):
                escaped = value.rpartition("'")[2].encode()
                name, value = name[:-1], _decode(unquote_to_bytes(escaped), escaped=False)[0]
            found[name.lower()] = value
        return found


def multipart_data(
    redactor: Redactor, content_type: bytes, body: bytes, *, cut: bool
) -> dict[str, Plain] | None:
    """A multipart form: files as `{":file", ":type", ":size"}`, text fields redacted.

    None where it cannot be read. A field whose end was not seen is `{":cut": true}`.
    """
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        return None
    fields: dict[str, Plain] = {}
    parts = _parts(body, b"--" + (boundary[1] or boundary[2]))
    for part in parts[:MAX_FIELDS]:
        parameters = part.parameters()
        name = clean(parameters.get("name", ""))
        shown = _shown(redactor, name, parameters.get("filename"), part)
        add_field(fields, redactor.data.key(name), shown)
    if not fields and not cut:
        return None
    if len(parts) > MAX_FIELDS:
        fields[CUT_KEY] = len(parts)
    if cut:
        hide_undecided(fields, redactor.judge)
    # Once more, for what fields make of each other.
    redacted = redactor.data.redact(fields)
    return redacted if isinstance(redacted, dict) else {}


def _shown(redactor: Redactor, name: str, filename: str | None, part: Part) -> Plain:
    if filename is not None:
        about: dict[str, Plain] = {":file": redactor.text(clean(filename))}
        if part.content_type:
            about[":type"] = redactor.text(part.content_type)
        if part.complete:
            return {**about, ":size": len(part.content)}
        return {**about, CUT_KEY: True}
    keys = {name, unquote(name, errors="replace")}
    if not name or any("\ufffd" in key or redactor.judge(key) is Rule.HIDE for key in keys):
        return MARKER
    if not part.complete:
        return {CUT_KEY: True}
    kind = part.content_type.partition(";")[0].strip().lower()
    encoding = part.headers.get("content-transfer-encoding", "").strip().lower()
    text, readable = _decode(part.content, escaped=False)
    if kind not in ("", "text/plain", "application/json") or encoding not in _PLAIN_ENCODINGS:
        return {":type": redactor.text(part.content_type), ":size": len(part.content)}
    if not readable:
        return {":size": len(part.content)}
    shown = redactor.data.redact({name: text})
    return next(iter(shown.values())) if isinstance(shown, dict) else MARKER


def _parts(body: bytes, delimiter: bytes) -> list[Part]:
    """The parts between delimiters at line starts; what comes before the first is left out."""
    body = b"\r\n" + body.replace(b"\n", b"\r\n") if b"\r\n" not in body else b"\r\n" + body
    delimiter = b"\r\n" + delimiter
    parts = []
    start = body.find(delimiter)
    while start >= 0:
        start += len(delimiter)
        if body.startswith(b"--", start):
            break
        stop = body.find(delimiter, start)
        raw = body[start : stop if stop >= 0 else len(body)]
        head, blank, content = raw.partition(b"\r\n\r\n")
        if blank:
            parts.append(Part(_headers(head), content, complete=stop >= 0))
        start = stop
    return parts


def _headers(head: bytes) -> dict[str, str]:
    headers = {}
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        headers[name.strip().lower().decode("latin-1")] = _decode(value.strip(), escaped=False)[0]
    return headers


def _decode(raw: bytes, *, escaped: bool = True) -> tuple[str, bool]:
    """Text of a field, and whether its encoding could be told (UTF-8, Shift_JIS or EUC-JP)."""
    if escaped:
        raw = unquote_to_bytes(raw.replace(b"+", b" "))
    for encoding in ("utf-8", *_JAPANESE):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "utf-8" or not _NO_TEXT.search(text):
            return text, True
    return raw.decode(errors="replace"), False
