"""How logged text reads."""

import json
import traceback

import pytest

from app.services.logs.log_text import payload, stack_parts, visible


@pytest.mark.parametrize(
    ("logged", "shown"),
    [
        ("日本語 ok\n\ttab", "日本語 ok\n\ttab"),
        ("a\x00b\x1b[31m", "a\\u0000b\\u001b[31m"),
        ("invoice\u202efdp.exe", "invoice\\u202efdp.exe"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("👩‍👩‍👧 می‌خواهم", "👩‍👩‍👧 می‌خواهم"),
    ],
)
def test_what_cannot_be_seen_is_written_out(logged: str, shown: str) -> None:
    assert visible(logged) == shown


@pytest.mark.parametrize(
    ("logged", "shown", "is_json"),
    [
        ('{"b":1,"a":["日"]}', '{\n  "b": 1,\n  "a": [\n    "日"\n  ]\n}', True),
        ("9223372036854775808123", "9223372036854775808123", True),
        ('"line\\nline"', "line\nline", False),
        ('{"a":', '{"a":', False),
        ("<b>bold</b>", "<b>bold</b>", False),
        ("[" * 100_000, "[" * 100_000, False),
        ('{"a":"\\u202e"}', '{\n  "a": "\\u202e"\n}', True),
    ],
)
def test_json_is_laid_out_and_anything_else_is_shown_as_it_is(
    logged: str, shown: str, is_json: bool
) -> None:
    read = payload(logged, 1_000_000)
    assert read is not None
    assert (read.text, read.is_json, read.cut) == (shown, is_json, False)


def test_nothing_is_no_payload() -> None:
    assert payload(None, 10) is None


def test_a_stack_trace_tells_the_projects_frames_from_its_libraries() -> None:
    try:
        json.loads("{")
    except ValueError as error:
        trace = "".join(traceback.format_exception(error))
    parts = stack_parts(trace)
    assert "\n".join(part.text for part in parts) == trace.rstrip()
    kinds = [part.kind for part in parts]
    assert kinds == ["note", "own", "foreign", "foreign", "foreign", "error"]
    assert 'json.loads("{")' in parts[1].text
    assert parts[-1].text.startswith("json.decoder.JSONDecodeError: ")


def test_frames_of_windows_and_of_installed_packages_are_told_apart_too() -> None:
    trace = (
        "Traceback (most recent call last):\n"
        '  File "C:\\app\\routers\\item_router.py", line 3, in save\n'
        '  File "C:\\app\\.venv\\Lib\\site-packages\\starlette\\routing.py", line 9, in app\n'
        '  File "C:\\Python311\\Lib\\json\\decoder.py", line 355, in raw_decode\n'
        "ValueError: no\n  and why\n"
    )
    kinds = [part.kind for part in stack_parts(trace)]
    assert kinds == ["note", "own", "foreign", "foreign", "error", "note"]


def test_what_joins_two_errors_is_none_itself() -> None:
    def fail() -> None:
        try:
            try:
                int("a")
            except ValueError as error:
                raise KeyError from error
        except KeyError:
            raise TypeError  # noqa: B904 # what is tested

    try:
        fail()
    except TypeError as error:
        trace = "".join(traceback.format_exception(error))
    errors = [part.text.split(":")[0] for part in stack_parts(trace) if part.kind == "error"]
    assert errors == ["ValueError", "KeyError", "TypeError"]
