"""Searches everything that has a page; the list is small and known."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from contracts.authorities import AUTHORITIES, HEALTH_BOARDS
from services.reporting.registry.indicators import Indicator
from services.reporting.releases.index import ReleaseInfo

LONGEST_SEARCH = 80
_PAGES = (
    ("/about#order", "What a community payback order is", "sentence court unpaid work supervision prison community"),
    ("/about#working", "Is it working?", "reconviction outcomes completion results effect"),
    ("/about#method", "Method", "how counted definition interval funnel working days bank holidays"),
    ("/about#hidden", "What is not shown, and why", "suppressed disclosure small numbers c x z symbols"),
    ("/about#revisions", "Revisions policy", "corrections changes late provisional"),
    ("/about#status", "Status of the figures", "official statistics simulated"),
    ("/about#contact", "Contact", "email questions press"),
    ("/about#accessibility", "Accessibility statement", "screen reader keyboard wcag"),
    ("/about#populations", "Populations", "rate for every 10,000 people"),
    ("/data", "Data to re-use", "download csv parquet excel ods json api catalogue licence open"),
    ("/docs", "The API", "developers json csv programs rest openapi"),
    ("/releases", "Releases", "publications archive feed dates"),
    ("/quality", "Data quality", "complete missing late reporting"),
    ("/compare", "Compare authorities", "funnel rank worst best limits"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """One page that matches."""

    href: str
    title: str
    kind: str
    words: str


def matches(indicator: Indicator, sought: str) -> bool:
    """Return whether its text contains every word."""
    return _fits(sought, f"{indicator.title} {indicator.definition} {indicator.theme} {indicator.id}")


def search(sought: str, indicators: Iterable[Indicator], releases: Iterable[ReleaseInfo]) -> list[Found]:
    """Return matching pages, authorities first, since most people search for their own. `indicators` are those that the reader is shown."""
    if not sought:
        return []
    return [*_areas(sought), *_indicators(sought, indicators), *_pages(sought), *_releases(sought, releases)]


def _areas(sought: str) -> Iterator[Found]:
    for each in AUTHORITIES.values():
        if _fits(sought, f"{each.name} {' '.join(each.also_known_as)} {each.code}"):
            yield Found(f"/authorities/{each.code}", each.name, "Authority", "How it does on each standard")
    for board in HEALTH_BOARDS.values():
        if _fits(sought, f"{board.name} {board.code} health board"):
            href = f"/indicators/orders_imposed?area={board.code}"
            yield Found(href, board.name, "Health board area", "Its figures, indicator by indicator")


def _indicators(sought: str, indicators: Iterable[Indicator]) -> Iterator[Found]:
    for each in indicators:
        if matches(each, sought):
            yield Found(f"/indicators/{each.id}", each.title, "Indicator", each.definition)


def _pages(sought: str) -> Iterator[Found]:
    for href, title, more in _PAGES:
        if _fits(sought, f"{title} {more}"):
            yield Found(href, title, "Page", "")


def _releases(sought: str, releases: Iterable[ReleaseInfo]) -> Iterator[Found]:
    for each in releases:
        if _fits(sought, f"release {each.id} {each.last_month:%B %Y}"):
            yield Found(
                f"/releases/{each.id}", f"Release {each.id}", "Release", f"Figures up to {each.last_month:%B %Y}"
            )


def _fits(sought: str, text: str) -> bool:
    return all(word in text.lower() for word in sought.lower().split())
