"""The doctor asks all at once; one that hangs or breaks keeps no other from its answer."""

import threading
from collections.abc import Iterator

import pytest

from commands.kit.doctor.finding import Finding, examine, ok


def test_each_answer_comes_in_its_turn_whoever_was_first() -> None:
    first_may_end = threading.Event()

    def slow() -> Iterator[Finding]:
        first_may_end.wait()
        yield ok("A")

    def quick() -> Iterator[Finding]:
        yield ok("B")
        first_may_end.set()

    found = list(examine([("A", slow), ("B", quick)]))

    assert [finding.name for finding in found] == ["A", "B"]


def test_one_that_hangs_has_said_what_it_knew_and_the_rest_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hangs, end = threading.Event(), threading.Event()

    def hang() -> Iterator[Finding]:
        yield ok("A")
        hangs.set()
        end.wait()
        yield ok("A")

    class Thread(threading.Thread):
        def join(self, timeout: float | None = None) -> None:
            """Here the time is up when A hangs and the other is done."""
            if self.name == "A":
                hangs.wait()
            else:
                super().join()

    monkeypatch.setattr(threading, "Thread", Thread)
    found = list(examine([("A", hang), ("B", lambda: [ok("B")])], seconds=3))
    end.set()

    assert [(finding.name, finding.state) for finding in found] == [
        *(("A", "ok"), ("A", "wrong"), ("B", "ok"))
    ]
    assert found[1].text.startswith("No answer within 3 s")


def test_one_that_breaks_has_said_what_it_knew() -> None:
    def half() -> Iterator[Finding]:
        yield ok("A")
        raise LookupError("of\nall")

    found = list(examine([("A", half)]))

    assert [finding.state for finding in found] == ["ok", "wrong"]
    assert "(of all)" in found[1].text
