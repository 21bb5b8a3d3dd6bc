"""What people write behind a minus sign, and how it stands in a URL."""

import pytest
from pydantic import ValidationError

from app.schemas.exclusion import MOST, Exclusion, exclusions, without_exclusions
from app.schemas.log import RequestFilter


@pytest.mark.parametrize(
    ("search", "rest", "left_out"),
    [
        ("/items", "/items", []),
        ("-/health", "", [("path", "/health")]),
        ("/api -/api/x  -status:404 ", "/api", [("path", "/api/x"), ("status", "404")]),
        ("-path:/a /b", "/b", [("path", "/a")]),
        ('-"/a b" -path:"/c d"', "", [("path", "/a b"), ("path", "/c d")]),
        ("－ｓｔａｔｕｓ：４０４ －/東京", "", [("status", "404"), ("path", "/東京")]),
        ("-/a:b -nothing:1", "", [("path", "/a:b"), ("path", "nothing:1")]),
        ("-ip:2001:db8::1", "", [("ip", "2001:db8::1")]),
        ("-/a -/a", "", [("path", "/a")]),
        ("/sign-in -", "/sign-in", []),
        ("/items -status:", "/items", []),
        ('-path:"', "", []),
        ("", "", []),
    ],
)
def test_words_behind_a_minus_sign_are_left_out(
    search: str, rest: str, left_out: list[tuple[str, str]]
) -> None:
    kept, words = without_exclusions(search)
    assert kept == rest
    assert exclusions(words) == tuple(Exclusion(*one) for one in left_out)


@pytest.mark.parametrize(
    "value",
    ["/a", "/a b", "part", "a b", "/a:b", "status:1", "/x$", "/東京\u3000駅", "/a\tb", "東京：駅"],
)
def test_what_stands_in_a_url_is_read_as_what_it_was(value: str) -> None:
    one, other = Exclusion("path", value), Exclusion("status", "404")
    assert exclusions(f"{one} {other}") == (one, other)
    wanted = RequestFilter.model_validate({"path": "/b", "without": f"{one} {other}"})
    kept, words = without_exclusions(wanted.search)
    assert (kept, exclusions(words)) == ("/b", wanted.without)


def test_each_is_held_to_the_rules_of_its_filter() -> None:
    wanted = RequestFilter.model_validate(
        {"without": "method:get user:03 https://x.test/%E6%9D%B1"}
    )
    assert wanted.without == (("method", "GET"), ("user", "3"), ("path", "/東"))
    for wrong in ("status:99", "user:aki", "method:G-T", "ip:" + "x" * 201, many()):
        with pytest.raises(ValidationError):
            RequestFilter.model_validate({"without": wrong})


def many() -> str:
    return " ".join(f"/{number}" for number in range(MOST + 1))
