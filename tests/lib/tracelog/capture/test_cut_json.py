"""Of JSON that was cut off everything is read that was complete, and nothing that was not."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.lib.tracelog.capture.cut_json import Prefix, read_prefix

texts = st.text(st.sampled_from('ab,:[]{}"\\\n'), max_size=4)
scalars = st.one_of(texts, st.none(), st.booleans(), st.integers(-99, 10**9))
containers = st.recursive(
    st.one_of(st.lists(scalars, max_size=3), st.dictionaries(texts, scalars, max_size=3)),
    lambda inner: st.one_of(
        st.lists(st.one_of(inner, scalars), max_size=3),
        st.dictionaries(texts, st.one_of(inner, scalars), max_size=3),
    ),
    max_leaves=12,
)


def brackets(text: str) -> str | None:
    """What would close the containers that are open at the end of JSON; None within a string."""
    closers, in_string, escaped = "", False, False
    for char in text:
        if in_string:
            in_string, escaped = escaped or char != '"', char == "\\" and not escaped
        elif char == '"':
            in_string = True
        elif char in "[{":
            closers = "]}"["[{".index(char)] + closers
        elif char in "]}":
            closers = closers[1:]
    return None if in_string else closers


def read_slowly(text: str) -> tuple[object, int] | None:
    """The value that comes first, when ever more is taken off the end, and what it has open."""
    for end in range(len(text), 0, -1):
        if text[end - 1] in "[{]}" or text[end : end + 1] == ",":
            closers = brackets(text[:end])
            if closers is not None:
                return json.loads(text[:end] + closers), len(closers)
    return None


def told(prefix: Prefix | None) -> tuple[object, int] | None:
    return None if prefix is None else (prefix.value, len(prefix.open))


@settings(max_examples=150, deadline=None)
@given(containers, st.data())
def test_what_is_read_of_json_that_was_cut_anywhere_is_all_that_was_complete(
    document: Any, data: st.DataObject
) -> None:
    text = json.dumps(document, separators=(",", ":"))
    cut = text[: data.draw(st.integers(0, len(text)))]

    assert told(read_prefix(cut.encode())) == read_slowly(cut)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a":1,"b":2,}', {"a": 1, "b": 2}),
        ('{"a":1,,"b":2}', {"a": 1}),
        ('{"a":[1,2}', {"a": [1]}),
        ('{"a":[1]]', {"a": [1]}),
        ('{"a":1}}', {"a": 1}),
        ('{"a":1},{"b":2}', {"a": 1}),
        ('{"a":1} x', {"a": 1}),
        (",1", None),
        ("1,2", None),
        ("]", None),
        ("{'a':1}", None),
        ('{"a" 1,"b":2}', None),
    ],
)
def test_what_comes_before_a_mistake_is_read(text: str, value: object) -> None:
    found = read_prefix(text.encode())

    assert (found.value if found else None) == value


@pytest.mark.parametrize("last", [b"1", b"null", b'"text"', b"[]", b"{}", b"[1]"])
def test_where_a_key_comes_twice_no_other_container_is_taken_for_the_open_one(last: bytes) -> None:
    assert read_prefix(b'{"a":1,"b":%b,"a":{"c":1,' % last) is None


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b"[1,["])
@pytest.mark.parametrize("end", [b"", b"x", b"}]"])
def test_json_that_is_nested_without_end_is_no_failure(opening: bytes, end: bytes) -> None:
    found = read_prefix(opening * 20_000 + end)

    assert found is None or len(found.open) <= 1_000
