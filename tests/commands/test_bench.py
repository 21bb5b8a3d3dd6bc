"""`manage.py bench` prints what it measured."""

from pathlib import Path

import pytest

from commands import bench


def test_what_recording_adds_to_a_request_is_shown_beside_the_bare_app(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert bench.main(["recording", "--requests", "5", "--rounds", "1"]) == 0

    lines = capsys.readouterr().out.splitlines()
    table = [line.split("|")[1].strip() for line in lines if line.startswith("| ")]
    assert table[1:4] == ["bare", "recorded in CSV", "recorded and delivered to SQLite"]


def test_requests_over_http_are_counted_bare_and_recorded(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert bench.main(["http", "--seconds", "0.2", "--rounds", "1", "--connections", "2"]) == 0

    lines = capsys.readouterr().out.splitlines()
    table = [line.split("|") for line in lines if line.startswith("| ")]
    assert [row[1].strip() for row in table[1:3]] == ["bare", "recorded in CSV"]
    assert all(float(row[2].replace(",", "")) > 0 for row in table[1:])
    assert not any("failed" in line for line in lines)


def test_pages_of_a_long_list_are_timed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{(tmp_path / 'items.db').as_posix()}"

    assert bench.main(["items", "--database", url, "--items", "300", "--rounds", "1"]) == 0

    assert "all pages" in capsys.readouterr().out


def test_an_unknown_benchmark_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.main(["nothing"])

    assert "recording" in capsys.readouterr().err


def test_the_pages_of_the_trace_log_are_timed_and_weighed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"file:{(tmp_path / 'trace.db').as_posix()}"

    for _ in range(2):  # the second time the log is there
        options = ["--store", url, "--requests", "300", "--rounds", "1"]
        assert bench.main(["explorer", *options]) == 0

    shown = capsys.readouterr().out
    assert shown.count("rows in") == 1
    assert "list, any depth" in shown
    assert "weight of overview" in shown
