"""`manage.py bench` prints what it measured."""

import re
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import append, browser, explorer, imports, items, made_up_log
from commands import bench
from commands.kit.parts import sqld_path
from tests.support.parts import needs


def test_what_recording_adds_to_a_request_is_shown_beside_the_bare_app(
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = ["--requests", "5", "--rounds", "1", "--processes", "2"]
    assert bench.main(["recording", *options]) == 0

    table = _table(capsys)
    names = ["bare", "both bodies written as they are", "recorded in CSV"]
    assert [row[0] for row in table[1:5]] == [*names, "recorded and delivered to SQLite"]
    assert [row[0] for row in table[5:8]] == [f"{name}, 16 at once" for name in names]
    several = table[-1]
    assert several[:2] == ["recorded in CSV", "2"]
    assert float(several[4].replace(",", "")) > 0


def test_requests_over_http_are_counted_bare_and_recorded(
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = ["--seconds", "0.05", "--rounds", "1", "--connections", "2", "--patience", "5"]
    assert bench.main(["http", *options]) == 0

    lines = capsys.readouterr().out.splitlines()
    table = [line.split("|") for line in lines if line.startswith("| ")]
    limits = ["both bodies seen, nothing done", "both bodies written as they are"]
    assert [row[1].strip() for row in table[1:5]] == ["bare", *limits, "recorded in CSV"]
    assert all(float(row[2].replace(",", "")) > 0 for row in table[1:])
    delivering = {row[1].strip(): row[6].strip().replace(",", "") for row in table[1:]}
    assert delivering["bare"] == delivering["recorded in CSV"] == ""
    assert all(float(rate) > 0 for kind, rate in delivering.items() if "delivered" in kind)
    assert not any("failed" in line for line in lines)


def test_appending_is_shown_beside_plain_writes(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--rows", "40", "--processes", "1", "2", "--rounds", "1"]
    assert bench.main(["append", *options]) == 0

    table = _table(capsys)
    assert [(row[0].split(",")[0], row[1]) for row in table[1:]] == [
        (name, count)
        for name in ("os.write", "Journal.append", "logger.log")
        for count in ("1", "2")
    ]


def test_ready_rows_have_the_size_they_are_said_to_have() -> None:
    assert [len(line) for line, _ in append.ready_rows(3)[1:]] == [append.ROW_BYTES] * 2


def test_the_loop_is_watched_while_the_store_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["stall", "--seconds", "0.1", "--processes", "1"]) == 0

    table = _table(capsys)
    assert [row[0] for row in table[1:]] == ["nothing", "silent Turso"]
    assert all(int(row[2]) > 0 for row in table[1:])


def test_imports_are_shown_beside_the_commands_of_the_database(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "KINDS", ("jsonl",))

    assert bench.main(["import", "--rows", "20", "--only", "sqlite"]) == 0

    table = _table(capsys)
    assert [row[1].partition(" into")[0] for row in table[3:]] == [
        "import of .xlsx",
        "import of .csv",
        "export as jsonl",
    ]
    assert "into the real table" in table[2][1]
    assert all(float(row[2]) >= 0 for row in table[1:])


def test_exported_is_what_the_last_import_has_brought(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users, asked = count(1), list[tuple[str, int]]()
    bench = imports.Bench("postgresql://nowhere/items", tmp_path, 3, 1)
    monkeypatch.setattr(bench, "_fresh", lambda: next(users))
    monkeypatch.setattr(bench, "_upload", lambda path: path)
    monkeypatch.setattr(bench, "_job", lambda what, queue: asked.append((what, queue.args[0])))
    monkeypatch.setattr(
        imports, "import_plain", lambda *_: SimpleNamespace(command="", seconds=1.0)
    )

    bench.run(tmp_path / "items.csv", tmp_path / "items.xlsx")

    (last, user_id), *exports = asked[1:]
    assert last == "import of .csv"
    assert [user for _, user in exports] == [user_id] * len(imports.KINDS)


def test_delivery_is_shown_beside_plain_inserts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    needs("sqld", there=sqld_path() is not None, mend="`python3 manage.py test` installs it")

    assert bench.main(["delivery", "--rows", "50", "--requests", "5"]) == 0

    table = _table(capsys)
    assert [row[:2] for row in table[1:]] == [
        ["50", "plain INSERTs"],
        ["50", "alone"],
        ["50", "in the app"],
        ["50", "beside the app"],
    ]
    assert all(float(row[2].replace(",", "")) > 0 for row in table[1:])


def test_pages_of_a_long_list_are_timed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(items, "SEARCHES", {"common": ["report"]})
    monkeypatch.setattr(items, "STATUSES", ("todo",))
    monkeypatch.setattr(items, "CHANGES", 3)
    url = f"sqlite:///{(tmp_path / 'items.db').as_posix()}"

    assert bench.main(["items", "--database", url, "--items", "300", "--rounds", "1"]) == 0

    assert "all pages" in capsys.readouterr().out


def test_an_unknown_benchmark_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.main(["nothing"])

    assert "recording" in capsys.readouterr().err


def test_the_pages_of_the_trace_log_are_timed_and_weighed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(made_up_log, "_MANY_STEPS", 120)
    url = f"file:{(tmp_path / 'trace.db').as_posix()}"
    options = ["--store", url, "--requests", "300", "--rounds", "1"]
    every = explorer.questions

    def few(*given: Any) -> list[explorer.Question]:
        return [replace(question, urls=question.urls[:2]) for question in every(*given)]

    monkeypatch.setattr(explorer, "questions", few)
    assert bench.main(["explorer", *options]) == 0

    # The second time the log is there, and one question shows that it is used.
    monkeypatch.setattr(explorer, "questions", lambda *given: few(*given)[:1])
    assert bench.main(["explorer", *options]) == 0

    shown = capsys.readouterr().out
    assert shown.count("rows in") == 1
    assert "list, any depth" in shown
    assert "weight of overview" in shown


@pytest.mark.browser
@pytest.mark.usefixtures("chromium")
def test_a_browser_paints_a_long_trace_and_follows_the_live_list(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser, "REQUESTS", 20)
    monkeypatch.setattr(made_up_log, "_MANY_STEPS", 120)

    assert bench.main(["browser", "--rounds", "1", "--seconds", "0.1", "--rate", "20"]) == 0

    shown = capsys.readouterr().out
    paint = re.search(r"first paint +(\d+) +\d+  target 500", shown)
    assert paint is not None
    assert int(paint[1]) > 0
    rows = re.search(r"rows in the page, at most +(\d+)", shown)
    assert rows is not None
    assert 20 <= int(rows[1]) < 200


def _table(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    """The cells of what was printed as a table, its head first."""
    lines = capsys.readouterr().out.splitlines()
    return [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| ")
    ]


def test_memory_is_shown_idle_and_after_work(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["memory", "--requests", "40", "--connections", "2", "--quiet", "0"]) == 0

    table = _table(capsys)
    assert [row[0] for row in table[1:]] == ["0", "8", "16", "24", "32", "40"]
    # The same classes and functions are larger in Python 3.14.
    promised = 150 if sys.version_info < (3, 14) else 160
    assert 20 < int(table[1][1]) < promised, "what is promised of an idle app"
