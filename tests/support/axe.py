"""axe-core, the accessibility checker, run inside a page."""

from playwright.sync_api import BrowserContext, Page

from commands.kit.environment import ROOT
from tests.support.parts import needs

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
COLORS = ("color-contrast", "link-in-text-block")
"""The rules for which colours count."""

_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = """async ([within, besides, options]) => {
  const more = [...document.querySelectorAll(besides || ":not(*)")];
  const places = more.map((element) => {
    const place = document.createElement("div");
    place.style.height = `${element.offsetHeight}px`;
    return place;
  });
  more.forEach((element, at) => element.replaceWith(places[at]));
  const { violations } = await axe.run({ include: [within] }, options);
  more.forEach((element, at) => places[at].replaceWith(element));
  return violations;
}"""


def bring_along(context: BrowserContext) -> None:
    """Have axe on each page from the beginning: half the work where it looks at nearly all."""
    _needed()
    context.add_init_script(path=AXE)


def violations(page: Page, *rules: str, within: str = "html", besides: str = "") -> list[str]:
    """What axe finds on the page as it is now: rule, element, and why. Default: all its rules.

    `within` names the elements to look at, where all else on the page has been looked at before;
    `besides` those that are only more of the same: an empty place is where they are meanwhile,
    since axe reads all that is there.
    """
    _needed()
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
    options = {"runOnly": list(rules) or _RULES, "resultTypes": ["violations"]}
    found = page.evaluate(_RUN, [within, besides, options])
    return [
        f"{rule['id']}: {node['html'][:200]}: {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]


def _needed() -> None:
    needs("axe-core", there=AXE.is_file(), mend="`npm ci` installs it")
