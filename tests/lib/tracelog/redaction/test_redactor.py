"""What the redactor hides and shows: headers, queries, paths, text and values."""

import base64
import dataclasses
import datetime as dt
import enum
import gc
import json
from collections import OrderedDict, deque
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, SecretStr

from app.lib.tracelog.recorder import redact_row
from app.lib.tracelog.redaction.memo import Memo
from app.lib.tracelog.redaction.plain import MARKER
from app.lib.tracelog.redaction.redactor import MAX_HEADER, UNREADABLE, Redactor
from app.lib.tracelog.schema import TABLES
from tests.lib.tracelog.redaction.corpus import (
    Case,
    assert_each,
    cases,
    leaked,
    not_shown,
    of_each_area,
)

REDACTOR = Redactor()


def redacted(case: Case) -> str:
    if case.kind == "headers":
        pairs = [(name.encode(), value.encode()) for name, value in case.input]
        return "\n".join(
            f"{name}: {value}"
            for name, shown in REDACTOR.headers(pairs).items()
            for value in (shown if isinstance(shown, list) else [shown])
        )
    if case.kind == "query":
        return REDACTOR.query(case.input.encode())
    return REDACTOR.path(case.input) if case.kind == "path" else REDACTOR.text(case.input)


@of_each_area("headers", "query", "path", "text")
def test_corpus(corpus: list[Case]) -> None:
    def check(case: Case) -> None:
        output = redacted(case)
        assert UNREADABLE not in output
        assert leaked(case.secrets, output) == []
        assert not_shown(case.visible, output) == []

    assert_each(corpus, check)


@of_each_area("text")
def test_text_that_is_cut_anywhere_leaks_nothing(corpus: list[Case]) -> None:
    def check(case: Case) -> None:
        for keep in range(len(case.input)):
            assert leaked(case.secrets, REDACTOR.texts.cut(case.input[:keep])) == [], keep

    assert_each(corpus, check)


class TestCorpus:
    def test_it_is_large_enough(self) -> None:
        assert len(cases()) >= 2000

    def test_every_secret_would_be_found_if_it_leaked(self) -> None:
        for case in cases():
            if case.secrets:
                given = case.input if isinstance(case.input, str) else repr(case.input)
                plain = given.translate({0xFF10 + digit: str(digit) for digit in range(10)})
                ways = [given, plain, plain.replace(" ", ""), plain.replace("-", "")]
                ways.append(plain.replace("+", ""))
                ways += [decoded(word) for word in given.replace("'", " ").split()]
                ways.append(case.content_type)
                assert any(leaked(case.secrets, way) for way in ways), case.id


def decoded(word: str) -> str:
    try:
        return base64.b64decode(word + "=" * (-len(word) % 4)).decode(errors="replace")
    except ValueError:
        return ""


class TestHeaders:
    def test_a_header_that_comes_once_is_a_string_and_one_that_repeats_a_list(self) -> None:
        pairs = [(b"Accept", b"a"), (b"x-a", b"1"), (b"X-A", b"2"), (b"x-a", b"3")]
        assert REDACTOR.headers(pairs) == {"accept": "a", "x-a": ["1", "2", "3"]}

    def test_cookies_are_shown_by_name(self) -> None:
        shown = REDACTOR.headers([(b"cookie", b"session=abc; theme=dark; empty=; x")])
        assert shown == {
            "cookie": "session=[redacted]; theme=[redacted]; empty=; [redacted]",
        }

    @pytest.mark.parametrize(
        ("cookies", "shown"),
        [
            ("s=QXQXQX; theme=d", "s=[redacted]; theme=[redacted]"),
            ("s=QXQXQX==; a=b=QXQXQX", "s=[redacted]; a=[redacted]"),
            ("s=QXQXQX;;theme=d", "s=[redacted]; ; theme=[redacted]"),
            ("QXQXQX", "[redacted]"),
            ("s=a; QXQXQX", "s=[redacted]; [redacted]"),
            ("QXQXQX; s=a=b", "[redacted]; s=[redacted]"),
            ("s=; theme=QXQXQX", "s=; theme=[redacted]"),
            ("=QXQXQX", "=[redacted]"),
        ],
    )
    def test_no_cookie_is_kept_in_memory_but_by_its_name(self, cookies: str, shown: str) -> None:
        redactor = Redactor()
        for _ in range(2):
            assert redactor.headers([(b"cookie", cookies.encode())]) == {"cookie": shown}
        gc.collect()
        held = [key for each in gc.get_objects() if type(each) is Memo for key in each]
        assert not [key for key in held if "QXQXQX" in str(key)]

    def test_a_length_is_shown_as_it_came(self) -> None:
        for length in ("0", "0017", "966", "999999999999", "9" * 40, "-1", "+1", "１", 'a"b'):
            shown = REDACTOR.headers([(b"Content-Length", length.encode())])
            assert shown == {"content-length": length}
        assert REDACTOR.headers([(b"content-length", b"4111111111111111")]) == {
            "content-length": MARKER
        }

    def test_set_cookie_is_shown_by_name_and_attributes(self) -> None:
        shown = REDACTOR.headers([(b"set-cookie", b"s=abc; Path=/; Max-Age=3; Foo=bar; Secure")])
        assert shown == {
            "set-cookie": "s=[redacted]; Path=/; Max-Age=3; [redacted]=[redacted]; Secure"
        }

    def test_of_an_enormous_header_only_the_size_is_kept(self) -> None:
        for name in (b"x-note", b"cookie"):
            (shown,) = REDACTOR.headers([(name, b"a" * (MAX_HEADER + 1))]).values()
            assert shown == "[8193 bytes]"
        assert REDACTOR.headers([(b"authorization", b"a" * 10**6)]) == {"authorization": MARKER}

    def test_any_bytes_are_taken(self) -> None:
        shown = REDACTOR.headers([(bytes([byte]), bytes(range(256))) for byte in range(256)])
        assert set("abcxyz") <= set(shown)
        assert UNREADABLE not in str(shown)


class TestExtras:
    @pytest.mark.parametrize(
        "key", ["employee_no", "employeeNo", "EMPLOYEE-NO", "user.employee.no", "employee_nos"]
    )
    def test_an_extra_key_hides_its_value_in_every_style(self, key: str) -> None:
        redactor = Redactor(extra_keys=["employee-no", "社員番号"])
        assert redactor.value({key: "A1", "社員番号": 7, "employee": "Hana"}) == {
            key: MARKER,
            "社員番号": MARKER,
            "employee": "Hana",
        }
        assert redactor.text(f"x {key}=A1 y") == f"x {key}=[redacted] y"
        assert redactor.query(f"{key}=A1&a=1".encode()) == f"{key}=[redacted]&a=1"

    def test_an_extra_key_hides_all_that_it_holds(self) -> None:
        redactor = Redactor(extra_keys=["profile", "grades"])
        given = {"profile": {"name": "Hana", "type": "staff", "id": 7}, "grades": 3}
        hidden = {"profile": MARKER, "grades": MARKER}
        assert redactor.value(given) == hidden
        assert redactor.value([{"user_profile": ["Hana"]}]) == [{"user_profile": MARKER}]
        assert redactor.text("got " + json.dumps(given)) == "got " + json.dumps(hidden)

    def test_an_extra_pattern_is_hidden_wherever_it_stands(self) -> None:
        redactor = Redactor(extra_patterns=[r"EMP-\d{4}"])
        assert redactor.value({"a": ["EMP-1234", {"EMP-1235": 1}]}) == {"a": [MARKER, {MARKER: 1}]}
        assert redactor.text("for EMP-1234 only") == "for [redacted] only"
        assert redactor.text('got {"a": "EMP-1234", "b": 1}') == 'got {"a": "[redacted]", "b": 1}'
        assert redactor.query(b"q=EMP-1234&a=1") == "q=[redacted]&a=1"
        assert redactor.path("/staff/EMP-1234/edit") == "/staff/[redacted]/edit"
        assert redactor.headers([(b"x-a", b"EMP-1234")]) == {"x-a": MARKER}

    @pytest.mark.parametrize("pattern", ["(", "a*", "|x"])
    def test_a_pattern_that_is_wrong_or_matches_nothing_at_all_is_refused(
        self, pattern: str
    ) -> None:
        with pytest.raises(ValueError, match=r"regular expression|empty text"):
            Redactor(extra_patterns=[pattern])


class Color(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


@dataclasses.dataclass
class Login:
    user: str
    password: str
    note: str = dataclasses.field(default="n", repr=False)


class Point(NamedTuple):
    x: int
    token: str


class Account(BaseModel):
    email: str
    api_key: str
    pin: SecretStr = SecretStr("4321")
    inner: str = Field("hidden", repr=False)


class Raising:
    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


class RaisingMapping(OrderedDict[str, int]):
    def items(self) -> object:  # type: ignore[override]
        raise RuntimeError("no")


class TestValues:
    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            (None, None),
            (True, True),
            (3, 3),
            (2**64, "18446744073709551616"),
            (-(2**63) - 1, "-9223372036854775809"),
            (1 << 20_000, "int of 20001 bits"),
            (1.5, 1.5),
            (float("nan"), "nan"),
            (float("-inf"), "-inf"),
            ("text", "text"),
            ("\ud800x", "\\ud800x"),
            (b"abc", {":type": "bytes", ":size": 3}),
            (bytearray(b"abc"), {":type": "bytearray", ":size": 3}),
            (memoryview(b"abc"), {":type": "memoryview", ":size": 3}),
            (dt.date(2026, 11, 23), "2026-11-23"),
            (dt.datetime(2026, 11, 23, 4, 40, tzinfo=dt.UTC), "2026-11-23T04:40:00+00:00"),
            (dt.time(4, 40), "04:40:00"),
            (dt.timedelta(seconds=90), "0:01:30"),
            (Decimal("1.20"), "1.20"),
            (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
            (Path("a/b.txt"), "a/b.txt"),
            (Color.RED, "red"),
            (Level.HIGH, 3),
            ((1, "a"), [1, "a"]),
            ({1}, [1]),
            (frozenset({"a"}), ["a"]),
            (deque([1, 2]), [1, 2]),
            (MappingProxyType({"a": 1}), {"a": 1}),
            ({1: "a", None: "b", Color.RED: "c", b"d": "d", (1, 2): "e"},
             {"1": "a", "None": "b", "red": "c", "d": "d", "tuple": "e"}),
            (ValueError("token=abc x"), "ValueError: token=[redacted] x"),
            (object(), "object"),
            (Login, "type"),
            (len, "builtin_function_or_method"),
            (iter([1]), "list_iterator"),
            ((n for n in [1]), "generator"),
            (Raising(), "Raising"),
            ({"a": Raising()}, {"a": "Raising"}),
            (RaisingMapping(a=1), "RaisingMapping"),
            (SecretStr("abc"), "SecretStr"),
        ],
        ids=lambda value: type(value).__name__,
    )  # fmt: skip
    def test_types(self, value: object, shown: object) -> None:
        assert REDACTOR.value(value) == shown

    def test_objects_with_fields(self) -> None:
        assert REDACTOR.value(Login("bob", "abc")) == {
            "user": "bob",
            "password": MARKER,
            "note": MARKER,
        }
        assert REDACTOR.value(Point(1, "abc")) == {"x": 1, "token": MARKER}
        assert REDACTOR.value([Account(email="a@example.com", api_key="abc")]) == [
            {"email": "a@example.com", "api_key": MARKER, "pin": MARKER, "inner": MARKER}
        ]

    def test_nothing_is_shared_with_what_was_given(self) -> None:
        given = {"password": "abc", "list": [{"token": "abc"}], "args": ["--token", "abc"]}
        REDACTOR.value(given)
        assert given == {"password": "abc", "list": [{"token": "abc"}], "args": ["--token", "abc"]}


class TestEnds:
    def test_a_short_stack_trace_stays_whole(self) -> None:
        assert (
            REDACTOR.ends("line 1\nline 2 token=abc x", 100) == "line 1\nline 2 token=[redacted] x"
        )

    @pytest.mark.parametrize(("size", "by"), [(500, 7), (20_000, 7), (200_000, 40)])
    def test_of_a_long_one_the_middle_is_left_out_after_redaction(
        self, size: int, by: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Whatever the limit, the same is redacted.
        monkeypatch.setattr(REDACTOR, "text", lru_cache(2)(REDACTOR.text))
        monkeypatch.setattr(REDACTOR.texts, "cut", lru_cache(2)(REDACTOR.texts.cut))
        for shift in range(0, 120, by):
            filler = "x" * shift + "line\n" * (size // 5)
            text = f"start {filler}password='Zq9XkT2mWv7L Zq9XkT2mWv7L'\n{'end ' * 20}last"
            for limit in (160, 300, 400):
                shown = REDACTOR.ends(text, limit)
                assert leaked(["Zq9XkT2mWv7L"], shown) == []
                assert shown.startswith("start ")
                assert shown.endswith("end last")
                assert "\n…\n" in shown
                assert len(shown) <= limit


@pytest.mark.parametrize("inside", ["'x\\d'", "1if 1else 2"])
def test_nothing_is_said_of_code_in_text(inside: str, recwarn: pytest.WarningsRecorder) -> None:
    shown = REDACTOR.text(f"got {{'a': {inside}, 'password': 'Zq9XkT2mWv7L'}} back")

    assert shown == f"got {{'a': {inside}, 'password': '{MARKER}'}} back"
    assert list(recwarn) == []


class TestRows:
    """What callers log by hand, whatever columns they put it into."""

    def test_every_column_is_redacted(self) -> None:
        row = redact_row(
            REDACTOR,
            TABLES["task_progress_logs"],
            {
                "task_name": "call with token=Zq9XkT2mWv7L",
                "error_message": ValueError("token=Zq9XkT2mWv7L"),
                "stack_trace": {"password": "Zq9XkT2mWv7L"},
                "execution_order": "token=Zq9XkT2mWv7L",
                "input_data": '{"password": "Zq9XkT2mWv7L"}',
                "output_data": {"deep": [{"api_key": "Zq9XkT2mWv7L"}]},
                "password": "Zq9XkT2mWv7L",
                "ghp_Zq9XkT2mWv7LZq9XkT2mWv7L": 1,
            },
        )
        assert leaked(["Zq9XkT2mWv7L"], repr(row)) == []
        assert row["error_message"] == "ValueError: token=[redacted]"
        assert row["password"] == MARKER

    def test_numbers_and_times_stay_what_they_are(self) -> None:
        now = dt.datetime.now(dt.UTC)
        row = {"execution_order": 3, "created_at": now, "status": "SUCCESS", "output_data": None}
        assert redact_row(REDACTOR, TABLES["task_progress_logs"], row) == row
