"""The feed of releases is Atom, by the grammar that its standard gives."""

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from lxml import etree

from services.reporting.pages.discovery import atom
from services.reporting.releases.index import PUBLISHED, WITHDRAWN, ReleaseInfo

GRAMMAR = Path(__file__).parents[3] / "reference" / "atom" / "rfc4287.rng"
ATOM = "{http://www.w3.org/2005/Atom}"
SITE = "https://figures.example"
MADE = datetime(2026, 5, 10, 9, tzinfo=UTC)
NOTICE = 'Fewer than 10 & more than "none" <b>late</b>'
FIRST = ReleaseInfo("2026-03.1", PUBLISHED, date(2026, 3, 1), date(2026, 5, 8), "", MADE, MADE, None, None, {})
NOTED = replace(FIRST, id="2026-03.2", note=NOTICE)
TAKEN_BACK = replace(FIRST, id="2026-03.3", status=WITHDRAWN, withdrawn_at=MADE + timedelta(days=1), note=NOTICE)


@pytest.fixture(scope="module")
def grammar() -> etree.RelaxNG:
    return etree.RelaxNG(etree.parse(GRAMMAR))


def feed(*releases: ReleaseInfo) -> etree._Element:
    return etree.fromstring(atom(SITE, releases).encode())


@pytest.mark.parametrize(
    "releases", [(), (FIRST,), (TAKEN_BACK, NOTED, FIRST)], ids=["none", "one", "noted and withdrawn"]
)
def test_it_is_what_the_grammar_allows(grammar: etree.RelaxNG, releases: tuple[ReleaseInfo, ...]) -> None:
    grammar.assertValid(feed(*releases))


def test_a_notice_is_told_as_it_was_written() -> None:
    assert NOTICE in feed(NOTED).findtext(f"{ATOM}entry/{ATOM}summary")


@pytest.mark.parametrize("lacking", ["id", "title", "updated"])
def test_what_is_wrong_is_found(grammar: etree.RelaxNG, lacking: str) -> None:
    """Else the grammar would check nothing."""
    whole = feed(FIRST)
    for place in (".", f"{ATOM}entry"):
        broken = deepcopy(whole)
        part = broken.find(place)
        part.remove(part.find(f"{ATOM}{lacking}"))
        assert not grammar.validate(broken), place
