"""Make the pictures of README and docs from the running app, with its demo data."""

import base64
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import uvicorn
from playwright.sync_api import Browser, sync_playwright

from app.config import Settings
from app.lib.logger import EnhancedCSVLogger
from app.main import create_app
from app.services.item_seed import seed_items
from app.services.seed_service import seed_admin
from benchmarks.made_up_log import LONG_TRACE, MadeUpLog
from commands.kit.arguments import Arguments
from commands.kit.database import migrate, transact
from commands.kit.environment import ROOT
from commands.kit.listener import listen
from commands.kit.parts import chromium_path
from commands.kit.words import Failure

IMAGES = ROOT / "docs" / "images"

_LOG_PAGES = {
    "logs": "/logs/requests",
    "overview": "/logs?range=24h",
    "errors": "/logs/errors",
    "tasks": "/logs/tasks?range=7d",
    "queries": "/logs/queries",
    "alerts": "/logs/alerts",
    "large-trace": f"/logs/traces/{LONG_TRACE}",
}
_RULES: tuple[dict[str, str | float | bool], ...] = (
    {"metric": "error_rate", "threshold": "5", "minutes": "10", "webhook": ""},
    {
        "metric": "p95",
        "threshold": "800",
        "minutes": "5",
        "webhook": "https://hooks.example.com/services/T0",
    },
)
_SCHEMES: dict[Literal["light", "dark"], str] = {"light": "", "dark": ".dark"}
_MADE_UP_REQUESTS = 5000

_LOCALES = {"en": "en-US", "ja": "ja-JP"}
_SIZE = (1280, 800)
_DELIVERY_SECONDS = 10

# A third of a PNG's size. Playwright writes none, so the browser itself is asked.
_WEBP = {"format": "webp", "quality": 90}


def main(arguments: list[str]) -> int:
    """Make all of them anew, or those of one language."""
    parser = Arguments(prog="manage.py pictures", description=__doc__)
    parser.add_argument("--language", choices=[*_LOCALES], help="those with its texts only")
    chosen = parser.parse_args(arguments).language
    chromium = chromium_path()
    if chromium is None:
        raise Failure("no_chromium")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with _demo() as demo, sync_playwright() as playwright:
        as_root = hasattr(os, "geteuid") and os.geteuid() == 0
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"] if as_root else []
        )
        for language in [chosen] if chosen else _LOCALES:
            _take(browser, demo, language)
        browser.close()
    return 0


@dataclass(frozen=True)
class _Demo:
    """The running app, its administrator and its trace log."""

    origin: str
    email: str
    password: str
    logger: EnhancedCSVLogger


@contextmanager
def _demo() -> Iterator[_Demo]:
    """The app on fresh files."""
    with (
        tempfile.TemporaryDirectory() as folder,
        listen("127.0.0.1", 0) as listener,
    ):
        origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
        settings = Settings(
            database_url=f"sqlite:///{(Path(folder) / 'app.db').as_posix()}",
            log_dir=Path(folder) / "logs",
            public_origin=origin,
        )
        migrate(settings)
        admin = transact(settings, seed_admin)
        transact(settings, partial(seed_items, owner_id=admin.user_id, count=200))
        logger = EnhancedCSVLogger(base_path=settings.log_dir)
        store = logger.store
        store.migrate()
        for batch in MadeUpLog(_MADE_UP_REQUESTS).batches(4000):
            store.insert(batch)
        app = create_app(settings, logger=logger)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield _Demo(origin, admin.email, admin.password or "", logger)
        finally:
            server.should_exit = True
            thread.join()


def _take(browser: Browser, demo: _Demo, language: str) -> None:
    width, height = _SIZE
    context = browser.new_context(
        base_url=demo.origin,
        locale=_LOCALES[language],
        color_scheme="light",
        reduced_motion="reduce",
        viewport={"width": width, "height": height},
        extra_http_headers={"Origin": demo.origin},
    )
    page = context.new_page()
    page.goto("/sign-in")
    page.locator("#email").fill(demo.email)
    page.locator("#password").fill(demo.password)
    page.locator("main form button").click()
    page.wait_for_url("**/items")

    # Two people change one item: the second one's request shows a step that failed.
    item = page.locator("tr.item").nth(list(_LOCALES).index(language))
    edit = item.get_by_role("link").first.get_attribute("href") or ""
    change: dict[str, str | float | bool] = {
        "title": "Order the cake",
        "version": "1",
        "status": "doing",
    }
    context.request.post(edit, form=change)
    answer = context.request.post(edit, form=change)
    trace = f"/logs/traces/{answer.headers['x-trace-id']}"
    for rule in _RULES if language == next(iter(_LOCALES)) else ():
        context.request.post("/logs/alerts", form=rule)
    demo.logger.shipper.drain(_DELIVERY_SECONDS)
    found = {"trace": trace, **_LOG_PAGES}
    page.goto("/logs/errors")
    group = page.locator("a[href^='/logs/errors/']").first
    found["error-group"] = group.get_attribute("href") or ""
    page.goto(found["error-group"])
    page.locator("main a[href^='/logs/traces/']").last.click()
    comparison = page.locator("a[href*='/compare/']").first
    found["comparison"] = comparison.get_attribute("href") or ""
    camera = context.new_cdp_session(page)
    for name, path in found.items():
        page.goto(path)
        for scheme, suffix in _SCHEMES.items():
            page.emulate_media(color_scheme=scheme)
            page.wait_for_load_state("networkidle")
            picture = camera.send("Page.captureScreenshot", _WEBP)["data"]
            (IMAGES / f"{name}{suffix}.{language}.webp").write_bytes(base64.b64decode(picture))
            print(f"docs/images/{name}{suffix}.{language}.webp")
    context.close()
