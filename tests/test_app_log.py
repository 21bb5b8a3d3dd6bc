import json
import logging
import logging.config
from collections.abc import Iterator

import pytest

from app.app_log import JSONLines, ReadableLines, logging_config
from app.config import Settings
from app.lib.tracelog.trace import Trace, use_trace

TRACE_ID = "7d7ea6d1-5d0c-4f0e-9a43-0b8e5f3f2a10"


def record(message: str, *values: object, failed: bool = False) -> logging.LogRecord:
    information = (ValueError, ValueError("two\nlines"), None) if failed else None
    return logging.LogRecord("app.x", logging.ERROR, "x.py", 1, message, values, information)


class TestJSON:
    def test_it_is_one_object_on_one_line(self) -> None:
        line = JSONLines().format(record("日本\n%s \u2028", "語", failed=True))

        assert len(line.splitlines()) == 1
        entry = json.loads(line)
        assert entry["message"] == "日本\n語 \u2028"
        assert entry["exception"].endswith("ValueError: two\nlines")
        assert (entry["level"], entry["logger"]) == ("ERROR", "app.x")
        assert entry["time"].endswith("Z")

    def test_it_names_the_trace_where_there_is_one(self) -> None:
        with use_trace(Trace(TRACE_ID)):
            assert json.loads(JSONLines().format(record("x")))["trace_id"] == TRACE_ID
        assert "trace_id" not in json.loads(JSONLines().format(record("x")))


def test_for_people_a_line_begins_with_time_and_level() -> None:
    with use_trace(Trace(TRACE_ID)):
        line, *trace = ReadableLines().format(record("It %s", "broke", failed=True)).splitlines()

    assert line[8:] == f" ERROR   It broke (trace {TRACE_ID})"
    assert trace[-2:] == ["ValueError: two", "lines"]


@pytest.fixture
def as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("as_it_was")
def test_in_production_it_is_json_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(environment="production")
    logging.config.dictConfig(logging_config(settings))

    logging.getLogger("app.somewhere").warning("Look")

    assert json.loads(capsys.readouterr().out)["message"] == "Look"
