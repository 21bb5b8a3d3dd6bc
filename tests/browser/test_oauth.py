"""Signing in with GitHub, in a real browser: its policy lets the way there and back pass."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from commands.kit.environment import ROOT
from tests.support.axe import violations
from tests.support.live_app import LiveApp, StartApp, clean_env
from tests.support.oauth_servers import CLIENT_ID, CLIENT_SECRET
from tests.support.processes import Program, answers, free_port

pytestmark = pytest.mark.browser


@pytest.fixture
def app(start_app: StartApp, tmp_path: Path) -> Iterator[LiveApp]:
    """An app, and a GitHub of its own in another process."""
    port = free_port()
    github = f"http://127.0.0.1:{port}"
    app = start_app(
        GITHUB_URL=github, GITHUB_CLIENT_ID=CLIENT_ID, GITHUB_CLIENT_SECRET=CLIENT_SECRET
    )
    command = [sys.executable, "-m", "uvicorn", "tests.support.oauth_servers:live", "--factory"]
    server = Program(
        [*command, "--port", str(port)],
        ready=lambda: answers(f"{github}/oauth2/v3/certs"),
        log=tmp_path / "github.log",
        env=clean_env(PYTHONPATH=str(ROOT), APP_ORIGIN=app.origin),
        cwd=tmp_path,
    )
    server.start()
    yield app
    server.kill()


def test_there_and_back_with_script_and_without(browser: Browser, app: LiveApp) -> None:
    there_and_back(browser, app, script=True)
    there_and_back(browser, app, script=False)


def there_and_back(browser: Browser, app: LiveApp, *, script: bool) -> None:
    context = browser.new_context(java_script_enabled=script)
    page = context.new_page()
    troubles: list[str] = []
    page.on("console", lambda said: troubles.append(f"{said.location['url']}: {said.text}"))
    page.goto(f"{app.origin}/account")
    page.get_by_role("link", name="Continue with GitHub").click()
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("alert")).to_contain_text("You did not let GitHub tell us")
    if script:
        assert violations(page) == []
    page.get_by_role("link", name="Continue with GitHub").click()
    page.get_by_role("button", name="Allow").click()
    expect(page).to_have_url(f"{app.origin}/account")
    if script:
        assert violations(page) == []
    expect(page.get_by_text("Hana Sato").first).to_be_visible()
    page.get_by_role("button", name="Unlink GitHub").click()
    expect(page.locator("#toasts")).to_contain_text("You could not sign in any more")
    assert [trouble for trouble in troubles if app.origin in trouble] == []
    context.close()
