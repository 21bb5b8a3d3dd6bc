"""Which failures mean the same."""

import sys
from pathlib import Path

import pytest

from app.lib.tracelog.rollup.frames import failure_of

STACK = """Traceback (most recent call last):
  File "/app/.venv/lib/python3.12/site-packages/starlette/routing.py", line 73, in app
    response = await f(request)
  File "/app/app/services/report_service.py", line 41, in build
    return render(month)
  File "/app/app/services/report_service.py", line 12, in render
    raise ValueError(f"no days in {month}")
ValueError: no days in 2026-13
"""


def test_line_numbers_folders_and_values_make_no_difference() -> None:
    elsewhere = (
        STACK.replace("line 41", "line 44")
        .replace("/app/app", "C:\\\\work\\\\app")
        .replace("2026-13", "x")
    )

    first = failure_of("ValueError: no days in 2026-13", STACK, task="Report", step="Render")
    second = failure_of("ValueError: no days in x", elsewhere, task="Other", step="Step")

    assert first.fingerprint == second.fingerprint
    assert (first.kind, first.place) == ("ValueError", "app/services/report_service.py render")


def test_the_folder_that_holds_the_project_is_no_part_of_a_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend("/home/hana/my-app")
    stack = STACK.replace("/app/app/services/", "/home/hana/my-app/app/")

    here = failure_of("ValueError: a", stack)
    monkeypatch.syspath_prepend("/srv/other")
    there = failure_of("ValueError: a", stack.replace("/home/hana/my-app", "/srv/other"))

    assert here == there
    assert here.place == "app/report_service.py render"


def test_a_project_that_is_imported_from_the_current_folder_is_no_part_of_a_place_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "my-app"
    project.mkdir()
    monkeypatch.chdir(project)
    stack = STACK.replace("/app/app/services", f"{project}/app")

    # As `uvicorn app.main:app` has it, and as the process beside the app has.
    for first in ("", ".", str(project)):
        monkeypatch.setattr(sys, "path", [first, "/usr/lib/python3.12"])
        assert failure_of("ValueError: a", stack).place == "app/report_service.py render"

    project.rmdir()
    monkeypatch.setattr(sys, "path", ["", str(project)])
    assert failure_of("ValueError: a", stack).place == "app/report_service.py render"


def test_another_type_or_another_function_is_another_failure() -> None:
    one = failure_of("ValueError: a", STACK)

    assert failure_of("KeyError: a", STACK).fingerprint != one.fingerprint
    assert failure_of("ValueError: a", STACK.replace("in build", "in make")) != one


def test_without_own_frames_the_message_tells_but_not_the_ids_and_numbers_in_it() -> None:
    first = failure_of("Order 17 of 'Hana' was refused: 3f2a1b9c-0000-4000-8000-000000000001", None)
    second = failure_of(
        "Order 4,711 of 'Taro' was refused: 00000000-0000-4000-8000-0000000000ff", ""
    )

    assert first.fingerprint == second.fingerprint
    assert first.kind == ""
    assert failure_of("Order 17 was lost", None).fingerprint != first.fingerprint
    assert failure_of("Order 17", None, step="a") != failure_of("Order 17", None, step="b")


def test_a_failure_without_a_message_is_a_failure_too() -> None:
    assert failure_of(None, None, task="T", step="S").message == ""


def test_what_a_library_does_with_the_call_makes_no_difference() -> None:
    library = '  File "/app/.venv/lib/python3.12/site-packages/x/{}.py", line 7, in {}\n    pass\n'
    head, found = STACK.rsplit("ValueError", 1)
    stacks = [f"{head}{library.format(n, n)}ValueError{found}" for n in ("a", "b")]

    failures = {failure_of("ValueError: a", stack) for stack in (STACK, *stacks)}

    assert [failure.place for failure in failures] == ["app/services/report_service.py render"]


@pytest.mark.parametrize(
    "message", ["\ud800 is no character", "ValueError: only said", "x" * 9_999]
)
def test_a_message_without_a_stack_trace_names_no_type_and_may_be_anything(message: str) -> None:
    failure = failure_of(message, None)

    assert (failure.kind, failure.message) == ("", message[:300])


def test_a_long_way_to_a_failure_makes_no_difference_beyond_twenty_frames() -> None:
    frame = '  File "/app/app/{}.py", line 3, in walk\n    walk(node)\n'
    start, *rest = (frame.format(name) for name in "abcdefghijklmnopqrstuvwxy")

    first, second, third = (
        failure_of("ValueError: a", "".join(frames)) for frames in (rest, [start, *rest], rest[9:])
    )

    assert first == second
    assert first.fingerprint != third.fingerprint


def test_recursion_is_one_frame() -> None:
    frame = '  File "/app/app/tree.py", line 3, in walk\n    walk(node)\n'
    deep = f"Traceback (most recent call last):\n{frame * 50}RecursionError: maximum"
    less_deep = f"Traceback (most recent call last):\n{frame * 9}RecursionError: maximum"

    first, second = (failure_of("RecursionError: maximum", stack) for stack in (deep, less_deep))

    assert first == second
