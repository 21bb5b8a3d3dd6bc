"""What counts as compact is JSON without anything that would be written in another way."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.lib.tracelog.redaction.compact import is_compact

texts = st.text(st.sampled_from('ab "\\,:[]{}\n\x7f買é'), max_size=6)
scalars = st.one_of(
    texts, st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.sampled_from([0.5, -1e-9])
)
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=8,
)


@settings(max_examples=200)
@given(documents, st.sampled_from([None, 0]), st.data())
def test_what_is_compact_is_json(document: Any, indent: int | None, data: st.DataObject) -> None:
    separators = data.draw(st.sampled_from([(",", ":"), (", ", ": ")]))
    body = json.dumps(document, indent=indent, separators=separators, ensure_ascii=False).encode()
    # Some are cut, or have a character too many.
    at = data.draw(st.integers(0, len(body)))
    body = body[:at] + data.draw(st.sampled_from([b"", b",", b" ", b"]", b'"', b"0"])) + body[at:]
    if is_compact(body):
        orjson.loads(body)


@pytest.mark.parametrize(
    "body",
    [b"{}", b"[]", b'{"a":[1,-0.5,true,null,{"b":"\xe8\xb2\xb7"}],"c":""}', b'[[["a"],{}],0]'],
)
def test_compact(body: bytes) -> None:
    assert is_compact(body)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"1", b'"a"', b"null", b"[1,]", b'{"a":1,}', b"[,1]", b"[1 ]", b'{"a": 1}', b"[01]",
        b"[1.]", b"[.5]", b"[1e5]", b"[NaN]", b"[Infinity]", b"[-]", b'{"a"}', b'{"a":}', b"{1:2}",
        b"[1]]", b"[[1]", b'["a\nb"]', b'["a\\nb"]', b'["\xff"]', b"\xef\xbb\xbf[]", b"[]\n",
        b'["a""b"]', b"[1true]", b'[{"a":1}{}]', b"[[[[]]]]",
    ],
)  # fmt: skip
def test_not_compact(body: bytes) -> None:
    assert not is_compact(body)
