"""The short way to a request's line leads to the same bytes as the long one."""

import json

from hypothesis import given
from hypothesis import strategies as st

from app.lib.tracelog import codec
from app.lib.tracelog.capture.request_line import request_line
from app.lib.tracelog.ids import MAX_ID, MIN_ID
from app.lib.tracelog.rows import make_row
from app.lib.tracelog.schema import API_LOGS, TABLES

TABLE = TABLES[API_LOGS]
TRACE = "6f1c4d2e-8a3b-4c5d-9e7f-0a1b2c3d4e5f"

texts = st.text(max_size=40) | st.sampled_from(["", "/a,b", '/"', "/\n\\", "/\ud800", "買" * 200])
documents = st.recursive(
    st.none() | st.integers(-(2**63), 2**63) | st.text('ab",\n\x7f\x85\u2028買', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('a,"', max_size=3), inner),
    max_leaves=6,
)
# A list of numbers has commas and no quotation marks.
bodies = st.none() | documents | st.lists(st.integers(0, 9), min_size=2, max_size=3)


def as_json(document: object) -> bytes:
    return codec.one_line(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())


@given(
    st.integers(MIN_ID, MAX_ID),
    st.sampled_from(["GET", "PATCH", "", "X-Y", "A,B", 'A"B']),
    texts,
    st.dictionaries(st.text("ab-", max_size=3), st.text('a",', max_size=4), max_size=3),
    bodies,
    st.none() | st.integers(100, 599),
    bodies,
    st.integers(0, 10**9),
    st.none() | st.sampled_from(["192.0.2.7", "::1", "a,b"]),
    st.none() | st.integers(-(2**53), 2**53),
    st.floats(0, 4e9),
)
def test_it_is_the_line_of_the_row(
    row_id: int,
    method: str,
    endpoint: str,
    header: dict[str, str],
    request: object,
    status: int | None,
    response: object,
    duration_ms: int,
    ip_address: str | None,
    user_id: int | None,
    created_at: float,
) -> None:
    request_body = None if request is None else as_json(request)
    response_body = None if response is None else as_json(response)
    line = request_line(
        row_id,
        TRACE,
        method=method,
        endpoint=endpoint,
        request_header=as_json(header),
        request_body=request_body,
        response_status=status,
        response_body=response_body,
        duration_ms=duration_ms,
        ip_address=ip_address,
        user_id=user_id,
        created_at=created_at,
    )
    row = make_row(
        TABLE,
        {
            "method": method,
            "endpoint": endpoint,
            "request_header": codec.JsonText(as_json(header).decode()),
            "request_body": request_body and codec.JsonText(request_body.decode()),
            "response_status": status,
            "response_body": response_body and codec.JsonText(response_body.decode()),
            "duration_ms": duration_ms,
            "ip_address": ip_address,
            "user_id": user_id,
            "created_at": created_at,
        },
        row_id=row_id,
        trace_id=TRACE,
        now=0.0,
    )
    assert line == codec.encode(TABLE, row)
    assert codec.decode(TABLE, line) == row


def test_what_is_too_large_for_a_store_is_a_note_of_its_size() -> None:
    large = b'"' + b"x" * codec.MAX_VALUE_BYTES + b'"'
    line = request_line(
        MIN_ID,
        TRACE,
        method="GET",
        endpoint="/",
        request_header=large,
        request_body=None,
        response_status=200,
        response_body=None,
        duration_ms=0,
        ip_address=None,
        user_id=None,
        created_at=0.0,
    )
    assert codec.decode(TABLE, line)[4] == f'{{":cut":{len(large)}}}'
