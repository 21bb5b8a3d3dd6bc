"""Fixtures for all tests, and what the end of a run tells beside their results."""

import gc
import gzip
import json
import os
from collections import Counter

import execnet
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.charmap import charmap_file

from tests.support.browser import chromium
from tests.support.faulty_server import faulty_server
from tests.support.live_app import start_app, start_server
from tests.support.parts import MEASURED, PREFIX
from tests.support.postgres import (
    _postgres_template,
    empty_postgres_database,
    postgres_database,
    postgres_server,
    postgres_url,
)
from tests.support.scheduler import Scheduler, in_order
from tests.support.sqlite import _sqlite_template, sqlite_database
from tests.support.stores import _stores_are_closed
from tests.support.turso import open_sqld, sqld, tursodb
from tests.support.workers import forked

__all__ = [
    "_postgres_template",
    "_sqlite_template",
    "_stores_are_closed",
    "chromium",
    "empty_postgres_database",
    "faulty_server",
    "open_sqld",
    "postgres_database",
    "postgres_server",
    "postgres_url",
    "sqld",
    "sqlite_database",
    "start_app",
    "start_server",
    "tursodb",
]


# A machine that is busy with the other tests says nothing about an example.
settings.register_profile(
    "busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("busy machine")


# Finding thousands of tests makes nothing that is garbage, and looking for some is a third of it.
gc.disable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduler:
    return Scheduler(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config, specs: list[execnet.XSpec]) -> None:
    forked(config, specs, config.pluginmanager.getplugin("dsession").nodemanager.testrunuid)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items[:] = in_order(items)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    gc.freeze()
    # Nor do most tests; as often as Python looks by itself, that is a twentieth of all they do.
    gc.set_threshold(10_000)
    gc.enable()
    tell_which_characters_utf_8_has()


def tell_which_characters_utf_8_has() -> None:
    """In a fresh checkout Hypothesis would try out all there are, a second in each process."""
    known = charmap_file("codec-v2-utf-8")
    if not known.exists():
        known.parent.mkdir(parents=True, exist_ok=True)
        characters = [(0, 0xD7FF), (0xE000, 0x10FFFF)]
        written = known.with_name(f"{known.name}.{os.getpid()}")
        written.write_bytes(gzip.compress(json.dumps([characters, []]).encode()))
        written.replace(known)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """`async` tests run on asyncio."""
    return "asyncio"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    passed = terminalreporter.stats.get("passed", [])
    told = [
        value for report in passed for name, value in report.user_properties if name == MEASURED
    ]
    if told:
        terminalreporter.section("measured")
        for line in told:
            terminalreporter.line(str(line))
    missing: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        reason = str(report.longrepr[2]).removeprefix("Skipped: ")
        if reason.startswith(PREFIX):
            missing[reason] += 1
    # `manage.py test` hands over what it had to leave out itself.
    missing.update(filter(None, os.environ.get("LEFT_OUT", "").splitlines()))
    if missing:
        terminalreporter.section("not tested on this machine")
        for reason, count in sorted(missing.items()):
            terminalreporter.line(f"{reason} ({count})")
