import asyncio
import gc
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator

import pytest

from app.app_log import JSONLines, ReadableLines, logging_config, start_app_log, tell_untended
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

    @pytest.mark.parametrize("formatter", [JSONLines(), ReadableLines()])
    def test_a_message_whose_values_do_not_fit_is_said_all_the_same(
        self, formatter: logging.Formatter
    ) -> None:
        assert "It took %d s ('long',)" in formatter.format(record("It took %d s", "long"))

    @pytest.mark.parametrize("formatter", [JSONLines(), ReadableLines()])
    def test_no_secret_is_in_it(self, formatter: logging.Formatter) -> None:
        said = record("No answer to %s", "https://a.test/?token=hunter2-in-the-message")
        said.exc_info = (ValueError, ValueError("password=hunter2-in-the-exception"), None)
        said.stack_info = 'Stack:\n  sign_in(password="hunter2-in-the-stack")'

        line = formatter.format(said)

        assert "hunter2" not in line
        assert line.count("[redacted]") == 3
        assert "ValueError: password=" in line

    def test_half_a_character_is_no_reason_to_be_unreadable(self) -> None:
        assert json.loads(JSONLines().format(record("a\ud800b")))["message"] == "a\\ud800b"

    def test_a_stack_that_was_asked_for_is_there(self) -> None:
        asked = record("x")
        asked.stack_info = "Stack:\n  here"

        assert json.loads(JSONLines().format(asked))["stack"] == "Stack:\n  here"
        assert ReadableLines().format(asked).endswith("x\nStack:\n  here")

    def test_an_exception_that_has_left_its_trace_still_tells_it(self) -> None:
        failed = record("Exception in the app\n")
        with pytest.raises(LookupError) as caught, use_trace(Trace(TRACE_ID)):
            raise LookupError
        failed.exc_info = (caught.type, caught.value, caught.tb)

        entry = json.loads(JSONLines().format(failed))

        assert (entry["trace_id"], entry["message"]) == (TRACE_ID, "Exception in the app")


def test_what_the_settings_hide_in_the_trace_log_they_hide_here_too() -> None:
    settings = Settings(log_redact_keys=("badge",), log_redact_patterns=("EMP-[0-9]+",))
    formatter = logging_config(settings)["formatters"]["line"]
    formatter.pop("()")

    line = ReadableLines(**formatter).format(record("badge=%s of %s", "blue-7", "EMP-42"))

    assert line.endswith("badge=[redacted] of [redacted]")


def test_for_people_a_line_begins_with_time_and_level() -> None:
    with use_trace(Trace(TRACE_ID)):
        line, *trace = ReadableLines().format(record("It %s", "broke", failed=True)).splitlines()

    assert line[8:] == f" ERROR   It broke (trace {TRACE_ID})"
    assert trace[-2:] == ["ValueError: two", "lines"]


@pytest.fixture
def as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    yield
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("as_it_was")
def test_in_production_it_is_json_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(environment="production")
    start_app_log(settings)

    logging.getLogger("app.somewhere").warning("Look")

    assert json.loads(capsys.readouterr().out)["message"] == "Look"


def test_it_can_be_told_to_another_process() -> None:
    config = logging_config(Settings(environment="production"))

    assert json.loads(json.dumps(config)) == config


@pytest.mark.anyio
async def test_what_a_task_fails_of_that_nobody_awaits_is_told_in_its_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail() -> None:
        raise LookupError

    asyncio.get_running_loop().set_exception_handler(tell_untended)
    caplog.handler.setFormatter(JSONLines())
    with use_trace(Trace(TRACE_ID)):
        task = asyncio.create_task(fail())
    await asyncio.wait([task])
    del task
    gc.collect(1)  # what is young enough

    (line,) = caplog.text.splitlines()
    entry = json.loads(line)
    assert entry["message"].startswith("Task exception was never retrieved")
    assert entry["trace_id"] == TRACE_ID


@pytest.mark.usefixtures("as_it_was")
def test_in_production_what_python_prints_by_itself_is_json_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail() -> None:
        raise LookupError("no\nend")

    class Broken:
        def __del__(self) -> None:
            fail()

    start_app_log(Settings(environment="production"))

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("Look\nhere", UserWarning, stacklevel=1)
    thread = threading.Thread(target=fail, name="worker")
    thread.start()
    thread.join()
    Broken()
    sys.excepthook(LookupError, LookupError("the end"), None)

    out, err = capsys.readouterr()
    warned, ended, ignored, last = map(json.loads, out.splitlines())
    assert err == ""
    assert "UserWarning: Look\nhere" in warned["message"]
    assert ended["message"] == "The thread worker ends."
    assert "__del__" in ignored["message"]
    for entry in (ended, ignored):
        assert entry["exception"].endswith("LookupError: no\nend")
    assert (last["level"], last["exception"]) == ("CRITICAL", "LookupError: the end")
