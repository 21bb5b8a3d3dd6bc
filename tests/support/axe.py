"""axe-core, the accessibility checker, run inside a page."""

from playwright.sync_api import Page

from commands.kit.environment import ROOT
from tests.support.parts import needs

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
COLORS = ("color-contrast", "link-in-text-block")
"""The rules for which colours count."""

_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Page, *rules: str) -> list[str]:
    """What axe finds on the page as it is now: rule, element, and why. Default: all its rules."""
    needs("axe-core", there=AXE.is_file(), mend="`npm ci` installs it")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
    options = {"runOnly": list(rules) or _RULES, "resultTypes": ["violations"]}
    result = page.evaluate("(options) => axe.run(document, options)", options)
    return [
        f"{rule['id']}: {node['html'][:200]}: {node['failureSummary']}"
        for rule in result["violations"]
        for node in rule["nodes"]
    ]
