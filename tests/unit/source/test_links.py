"""Links between pages lead somewhere: to a file that is there, and to a heading that it has."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.source import ROOT

PAGES = [
    *ROOT.glob("*.md"),
    *(page for folder in ("docs", "contracts", "deploy", "tests/reference") for page in (ROOT / folder).rglob("*.md")),
]
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@cache
def headings(page: Path) -> frozenset[str]:
    """Return the headings of a page as GitHub names them in addresses."""
    plain = (re.sub(r"[^\w\- ]", "", title.strip().lower()) for title in HEADING.findall(page.read_text()))
    return frozenset(title.replace(" ", "-") for title in plain)


def dead(page: Path) -> Iterator[str]:
    """Yield the links of a page that lead nowhere. Those to other sites are not followed."""
    for link in LINK.findall(page.read_text()):
        address, _, heading = link.partition("#")
        to = page.parent / address if address else page
        if ":" in address:
            continue
        if not to.exists() or (heading and to.suffix == ".md" and heading not in headings(to)):
            yield link


def test_every_link_leads_somewhere() -> None:
    assert len(PAGES) > 80
    assert sum(len(LINK.findall(page.read_text())) for page in PAGES) > 300
    assert {str(page.relative_to(ROOT)): list(dead(page)) for page in PAGES if list(dead(page))} == {}


def test_every_page_of_docs_is_linked_from_another() -> None:
    there = set((ROOT / "docs").glob("*.md"))
    linked = {
        (page.parent / link.partition("#")[0]).resolve()
        for page in PAGES
        for link in LINK.findall(page.read_text())
        if ":" not in link
    }
    assert there - linked == set()


@pytest.mark.parametrize("link", ["no-such-page.md", "page.md#no-such-heading", "#no-such-heading"])
def test_a_link_that_leads_nowhere_is_found(tmp_path: Path, link: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        f"# A page, and `more`\n\n[it](#a-page-and-more) and [another]({link}) and [all](https://example.org)\n"
    )
    assert list(dead(page)) == [link]
