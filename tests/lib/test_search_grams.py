"""A text of grams holds exactly the substrings of a text's words."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lib.search_grams import (
    GRAM,
    grams,
    joined_grams,
    joined_words,
    needle,
    normalize,
    query_grams,
    query_words,
    sort_key,
    stored_grams,
    title_and_words,
    word_grams,
    words,
)

TEXT = st.text(st.sampled_from("abAB12 -_東京都庁ハﾊ゜パ。、（）éße\u0301🎉\t\n"), max_size=40)


def test_a_word_is_cut_at_each_of_its_places() -> None:
    assert grams("東京都庁") == "東京都 京都庁 都庁 庁"


@pytest.mark.parametrize("length", [1, 12, 13, 256, 257, 1000])
def test_words_of_any_length_are_cut_in_the_same_way(length: int) -> None:
    word = "".join(chr(0x4E00 + number) for number in range(length))
    assert list(word_grams(word)) == [word[place : place + GRAM] for place in range(length)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ｔｏｋｙｏ　２０２６", ["tokyo", "2026"]),
        ("ﾊﾟﾝ、パン。", ["パン", "パン"]),
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("C++ & $3.14/kg — «ok»", ["c", "3", "14", "kg", "ok"]),
        ("one\u200btwo\x00three", ["one", "two", "three"]),
        ("祝🎉", ["祝🎉"]),
        ("葛\U000e0100飾の❤\ufe0f", ["葛飾の❤"]),
        ("。、!? ", []),
    ],
)
def test_words_are_normalised_and_end_at_punctuation(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_words_end_where_they_do_whatever_else_is_in_a_text() -> None:
    ascii_text = "".join(f"a{chr(code)}b" for code in range(128))
    text = "".join(f"a{chr(code)}b" for code in range(0x10000) if not 0xFE00 <= code <= 0xFE0F)
    assert words(ascii_text) == words(f"{ascii_text} あ")[:-1] == words(f"{ascii_text} 🎉")[:-1]
    assert words(text) == words(f"{text} 🎉")[:-1]


@given(TEXT, st.data())
def test_each_part_of_a_word_is_found(text: str, data: st.DataObject) -> None:
    found = words(text)
    if not found:
        assert grams(text) == ""
        return
    word = data.draw(st.sampled_from(found))
    start = data.draw(st.integers(0, len(word) - 1))
    end = data.draw(st.integers(start + 1, len(word)))
    part = word[start:end]
    assert needle(part) in grams(text)
    assert part in joined_words(found)
    indexed = grams(text).split(" ")
    for gram in query_grams(part):
        assert any(g == gram if len(gram) == GRAM else g.startswith(gram) for g in indexed)


@given(TEXT, TEXT)
def test_stored_words_are_read_as_their_grams_are(title: str, description: str) -> None:
    title = " ".join(title.split())
    key, found = title_and_words(title, description)
    text = f"{title}\n{description}"
    assert (key, found) == (sort_key(title), words(text))
    for stored in (joined_words(found), grams(text)):
        assert joined_grams(stored) == grams(text)
        assert stored_grams(stored) == grams(text).split()


@given(TEXT, TEXT)
def test_what_is_looked_for_in_words_and_in_grams_is_found_only_where_it_is(
    text: str, query: str
) -> None:
    found = words(text)
    for word in query_words(query):
        is_there = any(word in other for other in found)
        for stored in (joined_words(found), grams(text)):
            assert (word in stored or needle(word) in stored) == is_there


@given(TEXT, TEXT)
def test_nothing_else_is_found(text: str, query: str) -> None:
    for word in words(query):
        assert (needle(word) in grams(text)) == any(word in other for other in words(text))


@given(st.text())
def test_grams_hold_nothing_that_an_index_would_take_for_syntax(text: str) -> None:
    forbidden = set(string.punctuation + string.whitespace + string.ascii_uppercase) - {" "}
    text_of_grams = grams(text)
    assert not forbidden & set(text_of_grams)
    assert all(1 <= len(gram) <= GRAM for gram in text_of_grams.split(" ") if text_of_grams)


@given(st.text(max_size=200))
def test_a_sort_key_fits_its_column(title: str) -> None:
    assert len(sort_key(title)) <= 200


def test_titles_are_sorted_without_regard_to_case_and_width() -> None:
    assert sorted(["ｂ", "A", "c", "B1"], key=sort_key) == ["A", "ｂ", "B1", "c"]


def test_words_that_another_word_contains_are_not_asked_for() -> None:
    assert query_words("都 東京都 京都 Report rep") == ["report", "東京都"]


def test_full_width_letters_do_not_survive() -> None:
    assert normalize("ｏ１ｓ２") == "o1s2"
