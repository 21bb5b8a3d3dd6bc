"""Jobs that a test can hold, and that fail as it likes."""

import os
import time
from pathlib import Path

from app.jobs.kinds import job
from app.jobs.running import JobError, RunningJob

FOLDER = Path()
"""Where they write; set by the process that runs them."""


@job("Count", at_once=4, per_user=2)
def count(running: RunningJob, upto: int, hold: int = -1) -> dict[str, int]:
    """Appends each number to a file, and goes on behind the last one after a kill.

    At `hold` it waits for a file named `go`, so that a test can end it in the middle for sure.
    """

    def read() -> int:
        return note(f"{running.id}-read.txt", os.getpid())

    def commit() -> int:
        path = FOLDER / f"{running.id}.txt"
        done = len(path.read_text().split()) if path.exists() else 0
        for number in range(done, upto):
            while number == hold and not (FOLDER / "go").exists():
                running.progress(number, upto)
                time.sleep(0.005)
            with running.transaction(), path.open("a") as file:
                file.write(f"{number}\n")
            time.sleep(0.005)
            running.progress(number + 1, upto)
        return upto

    running.step("Read", read)
    return {"counted": running.step("DB_Commit", commit)}


@job("Fail")
def fail(running: RunningJob) -> None:
    """Fails in its second step until there is a file named `mended`."""

    def second() -> None:
        if not (FOLDER / "mended").exists():
            raise JobError("bad_file", line=3)

    running.step("First", note, "first.txt", 1)
    running.step("Second", second)


@job("Crash")
def crash(running: RunningJob) -> None:
    running.step("Only", lambda: 1 // 0)


def note(name: str, number: int) -> int:
    with (FOLDER / name).open("a") as file:
        file.write(f"{number}\n")
    return number
