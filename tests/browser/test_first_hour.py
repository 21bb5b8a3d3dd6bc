"""A stranger clones, runs one command, works with it, and finds each thing they did in the log.

The tree is copied to an empty folder, and the system's Python starts it.
"""

import csv
import os
import re
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from tests.browser.item_walk import work_with_items
from tests.support.live_app import clean_env
from tests.support.parts import MEASURED
from tests.support.plain_http import plain_client
from tests.support.processes import Program, answers, free_port, wait_until
from tests.support.tree import copy_tree, share_installed
from tests.support.turso import TursoServer

LOGIN = re.compile(r"Sign in as (\S+) with the password (\S+)")
INSTALL_SECONDS = 900.0
PIP_SETTINGS = ("PIP_CERT", "PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_DEFAULT_TIMEOUT")

CountRows = Callable[[str], int]
"""How many rows of `api_logs` in the store have this trace id."""


class Clone(Program):
    """The app as `python3 manage.py run` starts it in a fresh copy of the tree."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.folder = folder
        self.origin = f"http://127.0.0.1:{port}"
        # How pip reaches the packages is this machine's business; nothing else comes along.
        pip = {name: os.environ[name] for name in PIP_SETTINGS if name in os.environ}
        super().__init__(
            [sys._base_executable, "manage.py", "run", "--port", str(port)],  # type: ignore[attr-defined]
            ready=self.is_ready,
            log=folder.parent / "output.log",
            env=clean_env(LANG="C.UTF-8", PYTHONUNBUFFERED="1", **pip),
            cwd=folder,
        )

    def is_ready(self) -> bool:
        """It says so itself: while it installs, its port is free for anybody else."""
        return self.origin in self.output() and answers(f"{self.origin}/healthz")

    def login(self) -> tuple[str, str]:
        """E-mail address and password that the last first start has printed."""
        email, password = LOGIN.findall(self.output())[-1]
        return email, password


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Clone]:
    """Nothing is prepared."""
    folder = tmp_path / "app"
    copy_tree(folder)
    clone = Clone(folder)
    yield clone
    clone.kill()


@dataclass
class Visit:
    """What a visitor's browser received."""

    page: Page
    traces: dict[str, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("response", self._received)
        self.page.on("console", lambda message: self._said(message.type, message.text))

    def _received(self, response: Response) -> None:
        if "/static/" in response.url or response.url.endswith("/favicon.ico"):
            return
        trace_id = response.headers.get("x-trace-id")
        if trace_id is None:
            self.broken.append(f"no trace id: {response.url}")
        else:
            self.traces[trace_id] = f"{response.request.method} {response.url}"

    def _said(self, kind: str, text: str) -> None:
        # The browser reports each response of 4xx as an error; 422 is part of the walk.
        if kind == "error" and "status of 422" not in text:
            self.broken.append(text)


def walk(visit: Visit, origin: str, email: str, password: str) -> None:
    """Sign in, fail a validation, make a token, revoke it, work with items, sign out."""
    page = visit.page
    page.goto(f"{origin}/account/tokens")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{origin}/account/tokens")
    make = page.get_by_role("button", name="Make token")
    make.click()
    expect(page.locator("[aria-invalid=true]")).to_be_focused()
    page.get_by_label("Name", exact=True).fill("飛行記録")
    make.click()
    page.get_by_role("button", name="Revoke").click()
    expect(page.locator("#toasts")).to_contain_text("The token is revoked.")
    work_with_items(page, origin)
    page.goto(f"{origin}/account")
    page.locator("main").get_by_role("button", name="Sign out").click()
    page.goto(f"{origin}/account")
    expect(page).to_have_url(re.compile("/sign-in"))


def assert_all_found(clone: Clone, visit: Visit, count_rows: CountRows) -> None:
    """Each response's trace is in the CSV file, in the log database and on its page."""
    log_dir = clone.folder / "logs"
    with (log_dir / "api_logs.csv").open(newline="", encoding="utf-8") as file:
        in_csv = {row["trace_id"]: row for row in csv.DictReader(file)}
    assert not visit.broken
    assert len(visit.traces) > 10
    assert set(visit.traces) <= set(in_csv)
    for trace_id, what in visit.traces.items():
        delivered = partial(_is_one, count_rows, trace_id)
        wait_until(delivered, what=f"the delivery of {what}")

    email, password = clone.login()
    with plain_client(base_url=clone.origin, headers={"Origin": clone.origin}) as client:
        answer = client.post("/sign-in", data={"email": email, "password": password})
        assert answer.status_code == 303
        for trace_id, what in visit.traces.items():
            answer = client.get(f"/logs/traces/{trace_id}")
            assert answer.status_code == 200, what
            assert in_csv[trace_id]["endpoint"] in answer.text

    with (log_dir / "task_progress_logs.csv").open(newline="", encoding="utf-8") as file:
        tasks = {(row["task_name"], row["status"]) for row in csv.DictReader(file)}
    assert ("Account_Sign_In", "SUCCESS") in tasks
    for task in ("Item_Create", "Item_Update", "Item_Delete", "Item_Restore"):
        assert (task, "SUCCESS") in tasks
    assert password not in (log_dir / "api_logs.csv").read_text()


def _is_one(count_rows: CountRows, trace_id: str) -> bool:
    return count_rows(trace_id) == 1


def visit_and_look(
    clone: Clone, browser: Browser, count_rows: CountRows, *, javascript: bool
) -> None:
    context = browser.new_context(java_script_enabled=javascript, locale="en-US")
    visit = Visit(context.new_page())
    walk(visit, clone.origin, *clone.login())
    context.close()
    assert_all_found(clone, visit, count_rows)


def first_steps(clone: Clone) -> str:
    """Start the clone, add an item and look up its trace; how long a stranger waits for each."""
    started = time.monotonic()
    clone.start(INSTALL_SECONDS)
    waits = []
    email, password = clone.login()
    with plain_client(base_url=clone.origin, headers={"Origin": clone.origin}) as client:
        assert client.get("/").status_code == 200
        waits.append(time.monotonic() - started)
        client.post("/sign-in", data={"email": email, "password": password})
        added = client.post("/items", data={"title": "My first item"})
        assert "My first item" in client.get("/items?q=first").text
        waits.append(time.monotonic() - started)
        page = client.get(f"/logs/traces/{added.headers['x-trace-id']}")
        assert "DB_Insert" in page.text
        waits.append(time.monotonic() - started)
    first, own, trace = (f"{seconds:.1f} s" for seconds in waits)
    return f"from a clone: first page after {first}, own item after {own}, its trace after {trace}"


@pytest.mark.browser
def test_everything_a_stranger_does_is_found_in_the_log(
    clone: Clone, browser: Browser, record_property: Callable[[str, object], None]
) -> None:
    record_property(MEASURED, first_steps(clone))

    def count_rows(trace_id: str) -> int:
        with closing(sqlite3.connect(clone.folder / "logs" / "trace.db")) as store:
            sql = "SELECT count(*) FROM api_logs WHERE trace_id = ?"
            return int(store.execute(sql, [trace_id]).fetchone()[0])

    for javascript in (True, False):
        visit_and_look(clone, browser, count_rows, javascript=javascript)

    assert clone.stop() == 0
    clone.start(INSTALL_SECONDS)
    assert len(LOGIN.findall(clone.output())) == 1, "the second start made nothing again"
    assert clone.stop() == 0


@pytest.mark.browser
@pytest.mark.sqld
@pytest.mark.postgres
def test_the_same_is_found_with_postgresql_and_sqld(
    clone: Clone, browser: Browser, sqld: TursoServer, empty_postgres_database: str
) -> None:
    share_installed(clone.folder)  # the other test installs
    clone.env |= {
        "DATABASE_URL": empty_postgres_database,
        "TURSO_URL": sqld.url,
        "TURSO_TOKEN": sqld.token,
    }
    clone.start(INSTALL_SECONDS)

    store = plain_client(base_url=sqld.url, headers={"Authorization": f"Bearer {sqld.token}"})

    def count_rows(trace_id: str) -> int:
        sql = "SELECT count(*) FROM api_logs WHERE trace_id = ?"
        statement = {"sql": sql, "args": [{"type": "text", "value": trace_id}]}
        asked = {"requests": [{"type": "execute", "stmt": statement}]}
        answer = store.post("/v2/pipeline", json=asked).json()
        return int(answer["results"][0]["response"]["result"]["rows"][0][0]["value"])

    with store:
        visit_and_look(clone, browser, count_rows, javascript=True)
    assert clone.stop() == 0
    assert not (clone.folder / "logs" / "trace.db").exists()
