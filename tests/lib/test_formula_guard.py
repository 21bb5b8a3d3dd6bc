"""Cells that no spreadsheet works out, and what stood in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lib.formula_guard import guarded, unguarded

texts = st.text(st.sampled_from("'=+-@＝\t\r\n 1９a東")) | st.from_regex(r"'*[0-9]{14,18}")


@given(texts, st.booleans())
def test_what_was_guarded_comes_back(text: str, numbers: bool) -> None:
    assert unguarded(guarded(text, numbers=numbers)) == text


@given(texts)
def test_what_is_guarded_begins_with_no_sign(text: str) -> None:
    assert guarded(text)[:1] not in set("=+-@\t\r\n＝＋－＠")


@pytest.mark.parametrize("text", ["", "tea", "it's", "'quoted'", "a=1", "'tis", "1234567890123456"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert (guarded(text), unguarded(text)) == (text, text)
