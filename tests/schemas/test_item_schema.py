"""What is taken for an item, and what is not."""

from datetime import date

import pytest
from pydantic import ValidationError

from app.schemas.account import ChangePassword, SignIn, SignUp
from app.schemas.item import ItemIds, ItemIn, ItemPatch, ItemQuery


def problem(schema: type, **values: object) -> list[tuple[object, str]]:
    """Field and type of each problem."""
    with pytest.raises(ValidationError) as error:
        schema.model_validate(values)  # type: ignore[attr-defined]
    return [(e["loc"][0] if e["loc"] else None, e["type"]) for e in error.value.errors()]


def test_titles_are_one_line_and_descriptions_have_line_feeds() -> None:
    item = ItemIn(title="　 two \n words\t", description="one\r\ntwo\rthree\n")
    assert item.title == "two words"
    assert item.description == "one\ntwo\nthree\n"


def test_lengths_count_characters_as_they_are_stored() -> None:
    assert len(ItemIn(title="あ" * 200, description="\r\n" * 10_000).description) == 10_000
    assert problem(ItemIn, title="あ" * 201) == [("title", "string_too_long")]
    assert problem(ItemIn, title=" \n ") == [("title", "string_too_short")]
    assert problem(ItemIn, title="\u200b \ufeff") == [("title", "string_too_short")], "unseen"
    assert problem(ItemIn, title="x", description="x" * 10_001) == [
        ("description", "string_too_long")
    ]


@pytest.mark.parametrize("character", ["\0", "\x1b", "\x7f"])
def test_control_characters_are_refused(character: str) -> None:
    bad = f"a{character}b"
    assert problem(ItemIn, title=bad) == [("title", "control_character")]
    assert problem(ItemIn, title="x", description=bad) == [("description", "control_character")]


def test_half_a_character_is_refused() -> None:
    assert problem(ItemIn, title="\ud800") == [("title", "string_unicode")]


@pytest.mark.parametrize("value", ["", "  ", None])
def test_no_due_date_is_none(value: str | None) -> None:
    assert ItemIn.model_validate({"title": "x", "due_on": value}).due_on is None


def test_due_dates_are_dates() -> None:
    item = ItemIn.model_validate({"title": "x", "due_on": " 2026-11-05 "})
    assert item.due_on == date(2026, 11, 5)
    for wrong in ("5.11.2026", "20261105", "1700000000", 1700000000, "2026-11-05T12:00", True):
        assert problem(ItemIn, title="x", due_on=wrong) == [("due_on", "date_parsing")]
    assert problem(ItemIn, title="x", due_on="2026-02-30")[0][0] == "due_on"
    assert problem(ItemIn, title="x", due_on="0001-01-01") == [("due_on", "greater_than_equal")]
    assert problem(ItemIn, title="x", due_on="9999-12-31") == [("due_on", "less_than_equal")]


def test_a_patch_changes_what_it_has() -> None:
    current = ItemIn(title="a", description="b", status="doing", due_on=date(2026, 1, 1))
    patch = ItemPatch.model_validate({"version": 3, "due_on": None, "title": " c "})
    assert patch.applied_to(current) == ItemIn(title="c", description="b", status="doing")
    assert problem(ItemPatch, title="c") == [("version", "missing")]
    assert problem(ItemPatch, version=1, title=None) == [(None, "none_required")]
    assert problem(ItemPatch, version=0) == [("version", "greater_than_equal")]


def test_a_query_takes_what_an_empty_form_sends() -> None:
    query = ItemQuery.model_validate({"q": " 東京 ", "status": "", "after": "", "before": ""})
    assert (query.q, query.status, query.after, query.before) == ("東京", None, None, None)
    assert problem(ItemQuery, sort="owner_id; --") == [("sort", "literal_error")]
    assert problem(ItemQuery, limit=201) == [("limit", "less_than_equal")]
    assert problem(ItemQuery, q="x" * 201) == [("q", "string_too_long")]


def test_several_are_at_least_one_and_not_too_many() -> None:
    assert problem(ItemIds, ids=[]) == [("ids", "too_short")]
    assert problem(ItemIds, ids=list(range(1, 202))) == [("ids", "too_long")]
    assert problem(ItemIds, ids=[1 << 63]) == [("ids", "less_than")]
    assert ItemIds.model_validate({"ids": ["12", 3]}).ids == [12, 3], "as forms send them, too"
    for wrong in (1.0, True, "1.0", "+1", "1_0", " 1"):
        assert problem(ItemIds, ids=[wrong]) == [("ids", "whole_number")]
        assert problem(ItemPatch, version=wrong) == [("version", "whole_number")]


def test_new_passwords_have_length_and_are_not_the_address() -> None:
    new = {"email": " Hana@Example.com", "name": "Hana"}
    assert SignUp.model_validate(new | {"password": "tea at six " * 11}).email == "hana@example.com"
    assert problem(SignUp, **new, password="x" * 11) == [("password", "string_too_short")]
    assert problem(SignUp, **new, password="x" * 129) == [("password", "string_too_long")]
    assert problem(SignUp, **new, password="HANA@example.com") == [(None, "password_is_email")]
    assert problem(ChangePassword, current="old", new="short") == [("new", "string_too_short")]


def test_signing_in_asks_for_no_more_than_there_ever_was() -> None:
    data = SignIn(email=" HANA@example.com ", password="old")
    assert data.email == "hana@example.com"
    assert "old" not in repr(data)
    assert problem(SignUp, email="nobody", name="x", password="x" * 12)[0][0] == "email"
