"""Finds the accessibility faults of a page with axe. It does not describe what passes: that took about a third of its time."""

from collections.abc import Mapping
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Page

from tests.support.generated.thorough import THOROUGH

ONLY_FAULTS: dict[str, Any] = {"resultTypes": ["violations"]}
EVERY_RULE = {**ONLY_FAULTS, "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

PAPER = 718
"""Pixels across a page of A4 between its margins."""

ALIKE = "data-alike"
MARK_ALIKE = """alike => {
  const told = each => [...each.attributes].map(({name, value}) =>
    /^(class|style|role|type|scope|hidden|tabindex|colspan|rowspan)$/.test(name) ? name + value : name + !value).sort();
  const shape = each => [each.tagName, ...told(each), each.labels?.length ?? '', 'open' in each && each.open,
    ...(each.childElementCount ? [...each.children].map(shape) : [!each.textContent.trim()])].join();
  const seen = new WeakMap();
  for (const each of document.querySelectorAll('tbody > tr, li, svg *')) {
    const known = seen.get(each.parentNode) ?? new Map(), own = shape(each), times = 1 + (known.get(own) ?? 0);
    seen.set(each.parentNode, known.set(own, times));
    if (times > 2 && !each.closest(`[${alike}]`)) each.setAttribute(alike, '');
  }
}"""
"""Marks lines of a table or list and parts of a chart that are made of the same elements with the same classes as two before them in it,
whatever their words and numbers are: what is wrong with such a line is wrong with the first two. Not choices: axe asks nothing of one by
itself, and it compares each element with all that it is to leave out.
"""
RUN = """([options, alike]) => axe.run({exclude: alike ? [[`[${alike}]`]] : []}, options).then(found => {
  for (const each of document.querySelectorAll(`[${alike}]`)) each.removeAttribute(alike);
  return found;
})"""


def rules(*names: str) -> dict[str, Any]:
    """Return options that run only these rules."""
    return {**ONLY_FAULTS, "runOnly": {"type": "rule", "values": names}}


WIDE = rules("color-contrast", "target-size", "scrollable-region-focusable")
"""All that can differ where there is more room than on a phone."""


def on_paper(page: Page) -> None:
    """Show the page from now on as it is printed, in its own font: until that is there, another one takes more room."""
    page.set_viewport_size({"width": PAPER, "height": 1000})
    page.emulate_media(media="print")
    page.evaluate("document.fonts.ready.then(() => true)")


def assert_fits(page: Page) -> None:
    """Fail if the page is wider than its window. A page that a form leads to may have begun and hold nothing yet: it is waited for."""
    page.wait_for_load_state()
    whole, window = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert whole <= window, f"{page.url} is wider than the window"


def assert_accessible(page: Page, wanted: Mapping[str, Any] = EVERY_RULE) -> None:
    """Fail with what makes the page inaccessible, and where. Of lines that are alike, `make test` looks at two."""
    page.wait_for_load_state()
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    if not THOROUGH:
        page.evaluate(MARK_ALIKE, ALIKE)
    found = AxeResults(page.evaluate(RUN, [dict(wanted), ALIKE]))
    assert found.violations_count == 0, f"{page.url}: {found.generate_report()}"
