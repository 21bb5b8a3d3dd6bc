"""A real Chromium."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from commands.kit.parts import chromium_path
from tests.support.parts import needs

# The list below the address bar would be a page of its own for each window, a third of the work,
# and a process kept ready for the next page would not be used: each visitor has one of their own.
# Playwright has such an argument too, and the last one counts: its features follow.
_NOT_WANTED = (
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup"),
    "SpareRendererForSitePerProcess",
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades"),
    *("MediaRouter", "OptimizationHints", "PaintHolding", "ThirdPartyStoragePartitioning"),
)
_ARGUMENTS = (
    f"--disable-features={','.join(_NOT_WANTED)}",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    # The cores are busy with other tests, and threads that help would cost more than they save.
    *("--js-flags=--single-threaded", "--num-raster-threads=1"),
)

WAITS_MS = 60_000
"""For what a visitor sees, however busy the machine is."""

expect.set_options(timeout=WAITS_MS)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of Chromium's program."""
    path = chromium_path()
    needs("Chromium", there=path is not None, mend="install Chromium or Google Chrome")
    return str(path)


@contextmanager
def open_browser(chromium: str) -> Iterator[Browser]:
    """A browser, by the path of its program.

    Playwright runs an event loop in this thread meanwhile, so nothing that runs beside it is
    `async` or calls `asyncio.run`.
    """
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    arguments = [*_ARGUMENTS, *(["--no-sandbox"] if as_root else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()
