"""Cursors survive the URL, and nothing else passes for one."""

import base64
import json
from datetime import UTC, date, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.models.item import STATUSES
from app.schemas.cursor import Cursor, Direction, InvalidCursor, Key, Sort
from app.schemas.item import ItemQuery

IDS = st.integers(0, (1 << 62) - 1)
DIRECTIONS = st.sampled_from(get_args(Direction))
KEYS: dict[Sort, st.SearchStrategy[Key]] = {
    "created": st.none(),
    "updated": st.datetimes(timezones=st.just(UTC)),
    "title": st.text(
        st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=200
    ),
    "status": st.sampled_from(STATUSES),
    "due": st.dates(),
}


def encoded(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@given(st.sampled_from(list(KEYS)), DIRECTIONS, IDS, st.data())
def test_a_cursor_comes_back_as_it_was(
    sort: Sort, direction: Direction, item_id: int, data: st.DataObject
) -> None:
    cursor = Cursor(sort, direction, data.draw(KEYS[sort]), item_id)
    text = cursor.encode()
    assert Cursor.decode(text, sort, direction) == cursor
    assert text.isascii()
    assert text.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "%%%",
        "日本",
        "a",
        "a" * 3000,
        encoded(b"\xff\xfe"),
        encoded({"sort": "title"}),
        encoded([]),
        encoded(["title", "asc", "x"]),
        encoded(["title", "asc", "x", 1, 2]),
        encoded(["title", "desc", "x", 1]),
        encoded(["created", "asc", None, 1]),
        encoded(["title", "asc", None, 1]),
        encoded(["title", "asc", ["x"], 1]),
        encoded(["title", "asc", "x\0", 1]),
        encoded(["title", "asc", "x" * 201, 1]),
        encoded(b'["title","asc","\\ud800",1]'),
        encoded(["title", "asc", "x", True]),
        encoded(["title", "asc", "x", -1]),
        encoded(["title", "asc", "x", 1.0]),
        encoded(["title", "asc", "x", "1"]),
        encoded(["title", "asc", "x", 1 << 62]),
        encoded(["title", "asc", "x", 1 << 80]),
        encoded(b'["title","asc","x",1e999]'),
    ],
)
def test_what_is_no_cursor_of_this_list_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        Cursor.decode(text, "title", "asc")


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("updated", "2026-11-05T12:00:00"),
        ("updated", "yesterday"),
        ("updated", 1),
        ("updated", "0001-01-01T00:00:00+23:59"),
        ("updated", "9999-12-31T23:59:59-23:59"),
        ("updated", None),
        ("status", "gone"),
        ("status", 1),
        ("due", None),
        ("due", "2026-13-01"),
        ("due", "2026-11-05T12:00:00"),
        ("created", "2026-11-05"),
    ],
)
def test_a_key_must_be_of_its_sort(sort: Sort, key: object) -> None:
    with pytest.raises(InvalidCursor):
        Cursor.decode(encoded([sort, "asc", key, 1]), sort, "asc")


@given(st.text(max_size=60) | st.binary(max_size=60).map(encoded))
def test_no_text_breaks_it(text: str) -> None:
    for sort in KEYS:
        try:
            cursor = Cursor.decode(text, sort, "asc")
        except InvalidCursor:
            continue
        assert cursor.sort == sort


def test_a_query_says_what_is_wrong_with_its_cursor() -> None:
    of_titles = Cursor("title", "asc", "x", 1).encode()
    assert ItemQuery(sort="title", direction="asc", after=of_titles).cursor() is not None
    for wrong in (
        {"after": of_titles},
        {"sort": "title", "direction": "desc", "before": of_titles},
        {"sort": "title", "direction": "asc", "before": of_titles, "after": of_titles},
        {"after": "broken!"},
    ):
        with pytest.raises(ValidationError) as error:
            ItemQuery.model_validate(wrong)
        assert [problem["type"] for problem in error.value.errors()] == ["cursor"]


def test_times_and_dates_keep_their_type() -> None:
    moment = datetime(2026, 11, 5, tzinfo=UTC)
    text = Cursor("updated", "asc", moment, 1).encode()
    assert Cursor.decode(text, "updated", "asc").key == moment
    text = Cursor("due", "asc", date(2026, 11, 5), 1).encode()
    assert type(Cursor.decode(text, "due", "asc").key) is date
