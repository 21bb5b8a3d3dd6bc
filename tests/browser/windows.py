"""Windows of the browser, in which one visitor comes after the other.

What a window costs is four pages. So the next visitor finds nothing of the one before, but the
browser knows its way: the renderer runs, and its cache has style sheet and scripts.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page

from tests.support.axe import bring_along
from tests.support.browser import WAITS_MS

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}

_REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""


@dataclass(frozen=True)
class Kind:
    """What cannot be changed of a window."""

    phone: bool
    script: bool
    axe: bool


@dataclass
class Windows:
    browser: Browser
    _free: defaultdict[Kind, list[Page]] = field(default_factory=lambda: defaultdict(list))

    def open(self, kind: Kind) -> Page:
        """A page without a past, in a window of its own."""
        context = self.browser.new_context(
            viewport=PHONE if kind.phone else DESKTOP,  # type: ignore[arg-type]
            is_mobile=kind.phone,
            has_touch=kind.phone,
            java_script_enabled=kind.script,
            locale="en-US",
            timezone_id="Asia/Tokyo",
            reduced_motion="reduce",
        )
        context.set_default_timeout(WAITS_MS)
        context.add_init_script(_REPORT_VIOLATIONS)
        if kind.axe:
            bring_along(context)
        return context.new_page()

    def take(self, kind: Kind) -> Page:
        """The same, but for what is in the browser's cache."""
        return self._free[kind].pop() if self._free[kind] else self.open(kind)

    def give_back(self, kind: Kind, page: Page, quiet: str) -> None:
        """The visitor has left, and so has all that they brought or changed.

        `quiet` is a URL of the app where nothing goes on: leaving the app would end the renderer.
        """
        page.unroute_all()
        page.goto(quiet)
        page.context.clear_cookies()
        page.emulate_media(media="screen", color_scheme="light")
        page.set_viewport_size(PHONE if kind.phone else DESKTOP)  # type: ignore[arg-type]
        page.mouse.move(0, 0)
        self._free[kind].append(page)
