"""Finds the accessibility faults of a page with axe. It does not describe what passes: that took about a third of its time."""

from collections.abc import Mapping
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Page

ONLY_FAULTS: dict[str, Any] = {"resultTypes": ["violations"]}
EVERY_RULE = {**ONLY_FAULTS, "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

PAPER = 718
"""Pixels across a page of A4 between its margins."""


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


def assert_accessible(page: Page, wanted: Mapping[str, Any] = EVERY_RULE) -> None:
    """Fail with what makes the page inaccessible, and where."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found = AxeResults(page.evaluate("options => axe.run(options)", dict(wanted)))
    assert found.violations_count == 0, f"{page.url}: {found.generate_report()}"
