"""A request's line in the journal, put together from what is ready, without a detour by a row."""

from typing import Final

from app.lib.tracelog.codec import MAX_VALUE_BYTES, clean_text, text_field, timestamp
from app.lib.tracelog.redaction.memo import Memo

_MAX_REMEMBERED: Final = 128


def request_line(
    row_id: int,
    trace_id: str,
    *,
    method: str,
    endpoint: str,
    request_header: bytes,
    request_body: bytes | None,
    response_status: int | None,
    response_body: bytes | None,
    duration_ms: int,
    ip_address: str | None,
    user_id: int | None,
    created_at: float,
) -> bytes:
    """The same line as `codec.encode` makes of the row. `created_at` is in Unix seconds.

    Headers and bodies are JSON in UTF-8, free of secrets and of what ends a line.
    """
    return b"%d,%b,%b,%b,%b,%b,%b,%b,%d,%b,%b,%b\n" % (
        row_id,
        trace_id.encode(),
        _texts[method] or b"-",
        _texts[endpoint] or b"-",
        _json(request_header),
        b"" if request_body is None else _json(request_body),
        b"" if response_status is None else b"%d" % response_status,
        b"" if response_body is None else _json(response_body),
        duration_ms,
        b"" if ip_address is None else _texts[ip_address],
        b"" if user_id is None else b"%d" % user_id,
        timestamp(created_at).encode(),
    )


def _field(text: str) -> bytes:
    return text_field(clean_text(text)).encode()


_texts: Final = Memo(_field, size=1024, longest=_MAX_REMEMBERED)


def _json(text: bytes) -> bytes:
    if len(text) > MAX_VALUE_BYTES:
        text = b'{":cut":%d}' % len(text)
    if 0x22 in text:
        return b'"' + text.replace(b'"', b'""') + b'"'
    return b'"' + text + b'"' if 0x2C in text else text
