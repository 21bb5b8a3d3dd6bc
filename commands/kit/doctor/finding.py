"""What the doctor says, and how it asks: all checks at once, none for longer than it may take.

Standard library only.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from commands.kit.words import Failure, text

SECONDS = 10.0
"""How long all checks together may take: longer than any of their own time limits."""

State = Literal["ok", "note", "wrong"]


@dataclass(frozen=True)
class Finding:
    """One line of the answer. A `note` hinders only what it names, such as some tests."""

    name: str
    state: State
    text: str


Check = Callable[[], Iterable[Finding]]


def ok(name: str, key: str = "doctor_fine", /, **values: object) -> Finding:
    return Finding(name, "ok", text(key, **values))


def note(name: str, key: str, /, **values: object) -> Finding:
    return Finding(name, "note", text(key, **values))


def wrong(name: str, key: str, /, **values: object) -> Finding:
    return Finding(name, "wrong", text(key, **values))


def attempt(name: str, otherwise: State, check: Callable[[], object]) -> Finding:
    """Fine, unless the check raises `Failure`."""
    try:
        check()
    except Failure as failure:
        return Finding(name, otherwise, str(failure))
    return ok(name)


def examine(checks: Sequence[tuple[str, Check]], seconds: float = SECONDS) -> Iterator[Finding]:
    """The findings of all checks, in their order. One that hangs is one more by its name."""
    found: list[list[Finding]] = [[] for _ in checks]

    def run(findings: list[Finding], name: str, check: Check) -> None:
        try:
            for finding in check():
                findings.append(finding)  # each at once: the next may hang
        # What a check did not foresee must not hide what the others found.
        except Exception as error:  # noqa: BLE001
            reason = " ".join(str(error).split()) or type(error).__name__
            findings.append(wrong(name, "doctor_breaks", reason=reason))

    threads = [
        threading.Thread(target=run, name=name, args=(found[number], name, check), daemon=True)
        for number, (name, check) in enumerate(checks)
    ]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    for number, thread in enumerate(threads):
        thread.join(max(0.0, end - time.monotonic()))
        hangs = thread.is_alive()
        yield from found[number]
        if hangs:
            yield wrong(checks[number][0], "doctor_hangs", seconds=round(seconds))
