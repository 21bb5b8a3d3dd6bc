"""Sampling: a share of what went well, all of what did not."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fastapi import BackgroundTasks, FastAPI, HTTPException
from httpx import ASGITransport, AsyncClient

from app.lib.logger import CSVOnlyLogger
from app.lib.tracelog.capture.middleware import CaptureMiddleware, ExceptionNote
from app.lib.tracelog.capture.sampling import Sampling
from app.lib.tracelog.schema import API_LOGS, TABLES
from app.lib.tracelog.trace import new_trace_id
from tests.lib.tracelog.rows import read_all


def keeps(sampling: Sampling, trace_id: str, **how: Any) -> bool:
    """Whether a request is kept that is fine but for what `how` says."""
    fine: dict[str, Any] = {"method": "GET", "path": "/items", "status": 200, "duration_ms": 5}
    return sampling.keeps(trace_id=trace_id, **fine | how)


def kept(sampling: Sampling, **how: Any) -> float:
    """The share of many requests, each of a trace of its own, that is kept."""
    tries = 2000
    return sum(keeps(sampling, new_trace_id(), **how) for _ in range(tries)) / tries


def test_a_share_is_kept_of_what_a_rule_fits() -> None:
    sampling = Sampling.parse(["GET:/items=0.25", "/api=0"])

    assert kept(sampling) == pytest.approx(0.25, abs=0.06)
    assert kept(sampling, path="/items/7") == pytest.approx(0.25, abs=0.06)
    assert kept(sampling, method="DELETE", path="/api/items/7") == 0
    for other in ({"method": "POST"}, {"path": "/itemsets"}, {"path": "/"}):
        assert kept(sampling, **other) == 1


def test_the_first_rule_that_fits_decides() -> None:
    assert kept(Sampling.parse(["/items/hot=1", "/=0"]), path="/items/hot") == 1
    assert kept(Sampling.parse(["/=0", "/items/hot=1"]), path="/items/hot") == 0


@pytest.mark.parametrize(
    "how", [{"status": 404}, {"status": 500}, {"status": 499}, {"duration_ms": 1000}]
)
def test_what_failed_or_was_slow_is_always_kept(how: dict[str, int]) -> None:
    assert kept(Sampling.parse(["/=0"]), **how) == 1


def test_a_trace_is_kept_as_a_whole_or_not_at_all() -> None:
    one, other = (Sampling.parse(["/items=0.5"], salt="a") for _ in range(2))
    for _ in range(200):
        trace_id = new_trace_id()
        assert keeps(one, trace_id) == keeps(other, trace_id, method="POST", path="/items/1")


def test_who_does_not_know_the_salt_cannot_choose_what_is_left_out() -> None:
    ours, theirs = (Sampling.parse(["/=0.5"], salt=salt) for salt in ("ours", "theirs"))
    ids = [new_trace_id() for _ in range(2000)]
    hidden = [trace_id for trace_id in ids if not keeps(theirs, trace_id)]
    seen = sum(keeps(ours, trace_id) for trace_id in hidden)
    assert seen / len(hidden) == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("rule", ["", "items=1", "/items", "/items=2", "/items=-1", "get:/=1"])
def test_what_is_no_rule_is_refused(rule: str) -> None:
    with pytest.raises(ValueError, match="no rule"):
        Sampling.parse([rule])


@pytest.fixture
def logger(tmp_path: Path) -> Iterator[CSVOnlyLogger]:
    logger = CSVOnlyLogger(tmp_path)
    yield logger
    logger.close()


def test_requests_that_are_left_out_have_no_row_and_work_as_ever(
    logger: CSVOnlyLogger, tmp_path: Path
) -> None:
    app = FastAPI()
    app.add_middleware(ExceptionNote)

    @app.get("/fine")
    async def fine() -> str:
        with logger.task("Refine") as task, task.step("Fetch"):
            return "fine"

    @app.get("/missing")
    async def missing() -> None:
        raise HTTPException(404)

    @app.get("/failed-step")
    async def failed_step() -> str:
        with logger.task("Refine") as task, suppress(FileNotFoundError), task.step("Fetch"):
            (tmp_path / "gone").read_text()
        return "handled"

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("boom")

    recorded = CaptureMiddleware(
        app.build_middleware_stack(), logger.recorder, sampling=Sampling.parse(["/=0"])
    )

    async def ask() -> list[str]:
        transport = ASGITransport(recorded, raise_app_exceptions=False)
        async with AsyncClient(transport=transport, base_url="http://app.test") as client:
            answers = [
                await client.get(path) for path in ("/fine", "/missing", "/failed-step", "/broken")
            ]
        return [answer.headers["x-trace-id"] for answer in answers]

    traces = asyncio.run(ask())

    found, bad = read_all(tmp_path, TABLES[API_LOGS])
    place = TABLES[API_LOGS].column_names.index("trace_id")
    assert not bad
    assert [row[place] for row in found] == traces[1:]


def test_a_request_whose_background_work_fails_is_kept_whatever_the_draw(
    logger: CSVOnlyLogger, tmp_path: Path
) -> None:
    app = FastAPI()

    def fail() -> None:
        with logger.task("Send") as task, suppress(FileNotFoundError), task.step("Attach"):
            (tmp_path / "gone").read_text()

    @app.get("/well")
    async def well(background: BackgroundTasks) -> str:
        background.add_task(str)
        return "ok"

    @app.get("/badly")
    async def badly(background: BackgroundTasks) -> str:
        background.add_task(fail)
        return "ok"

    recorded = CaptureMiddleware(app, logger.recorder, sampling=Sampling.parse(["/=0"]))

    async def ask() -> None:
        transport = ASGITransport(recorded)
        async with AsyncClient(transport=transport, base_url="http://app.test") as client:
            await client.get("/well")
            await client.get("/badly")

    asyncio.run(ask())

    [row], bad = read_all(tmp_path, TABLES[API_LOGS])
    assert not bad
    assert row[TABLES[API_LOGS].column_names.index("endpoint")] == "/badly"
