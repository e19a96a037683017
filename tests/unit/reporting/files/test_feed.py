"""The feed of releases is Atom, by the grammar that its standard gives."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from icalendar import Calendar
from lxml import etree

from contracts.periods import LONDON
from services.reporting.formats.calendar_file import as_ical
from services.reporting.pages.discovery import atom
from services.reporting.releases.calendar import Announcement, Said
from services.reporting.releases.index import PUBLISHED, WITHDRAWN, ReleaseInfo
from services.reporting.releases.notices import Notice, NoticeKind

GRAMMAR = Path(__file__).parents[3] / "reference" / "atom" / "rfc4287.rng"
ATOM = "{http://www.w3.org/2005/Atom}"
SITE = "https://figures.example"
MADE = datetime(2026, 5, 10, 9, tzinfo=UTC)
NOTICE = 'Fewer than 10 & more than "none" <b>late</b>'
FIRST = ReleaseInfo("2026-03.1", PUBLISHED, date(2026, 3, 1), date(2026, 5, 8), "", MADE, MADE, None, (), {})
LATER = MADE + timedelta(days=1)
NOTED = replace(FIRST, id="2026-03.2", notices=(Notice("2026-03.2", MADE, NoticeKind.NOTE, NOTICE, "ann"),))
TAKEN_BACK = replace(
    FIRST,
    id="2026-03.3",
    status=WITHDRAWN,
    withdrawn_at=LATER,
    notices=(Notice("2026-03.3", LATER, NoticeKind.WITHDRAWAL, NOTICE, "ann"),),
)
CORRECTION = Notice(FIRST.id, LATER, NoticeKind.CORRECTION, "Hours were counted twice", "ann", "2026-03.4")
WRONG = replace(FIRST, notices=(CORRECTION,))
RIGHT = replace(FIRST, id="2026-03.4", published_at=LATER, notices=(CORRECTION,))
ANNOUNCED = Announcement(date(2026, 4, 1), (Said(date(2026, 6, 12), MADE, "", "ann"),), is_out=False)
MOVED = replace(ANNOUNCED, said=(*ANNOUNCED.said, Said(date(2026, 6, 16), LATER, 'A <late> "answer"', "ann")))
CALLED_OFF = replace(ANNOUNCED, said=(*ANNOUNCED.said, Said(None, LATER, "Nothing to tell", "ann")))


@pytest.fixture(scope="module")
def grammar() -> etree.RelaxNG:
    return etree.RelaxNG(etree.parse(GRAMMAR))


def feed(*releases: ReleaseInfo, calendar: Sequence[Announcement] = ()) -> etree._Element:
    return etree.fromstring(atom(SITE, releases, calendar).encode())


def told(entry: etree._Element) -> tuple[str, str, str]:
    title, summary, updated = (entry.findtext(f"{ATOM}{part}") for part in ("title", "summary", "updated"))
    return title, summary, updated


@pytest.mark.parametrize(
    "releases",
    [(), (FIRST,), (TAKEN_BACK, NOTED, FIRST), (RIGHT, WRONG)],
    ids=["none", "one", "noted and withdrawn", "corrected"],
)
def test_it_is_what_the_grammar_allows(grammar: etree.RelaxNG, releases: tuple[ReleaseInfo, ...]) -> None:
    grammar.assertValid(feed(*releases, calendar=(MOVED, CALLED_OFF)))


def test_a_notice_is_told_as_it_was_written() -> None:
    assert NOTICE in feed(NOTED).findtext(f"{ATOM}entry/{ATOM}summary")


def test_a_correction_is_told_of_both_releases_and_each_leads_to_the_other() -> None:
    right, wrong = feed(RIGHT, WRONG).findall(f"{ATOM}entry")
    said = "Correction of 2026-03.1 by 2026-03.4, 11 May 2026: Hours were counted twice"
    for entry, other in ((right, WRONG), (wrong, RIGHT)):
        assert said in told(entry)[1]
        assert told(entry)[2] == LATER.isoformat()
        assert entry.xpath("string(*[local-name()='link' and @rel='related']/@href)") == f"{SITE}/releases/{other.id}"
    assert told(wrong)[0] == "Release 2026-03.1, corrected by 2026-03.4"


def test_what_is_announced_is_an_entry_until_it_is_out_and_changes_with_what_is_said() -> None:
    first, moved, called_off = (feed(calendar=[each]).find(f"{ATOM}entry") for each in (ANNOUNCED, MOVED, CALLED_OFF))
    assert told(first)[0] == "Announced: figures up to April 2026, Friday 12 June 2026 at 9:30"
    assert len({each.findtext(f"{ATOM}id") for each in (first, moved, called_off)}) == 1
    assert 'Moved from 12 June 2026 to 16 June 2026: A <late> "answer"' in told(moved)[1]
    assert told(moved)[2] == LATER.isoformat()
    assert "called off" in told(called_off)[0]
    assert feed(calendar=[replace(MOVED, is_out=True)]).find(f"{ATOM}entry") is None


def test_the_calendar_file_moves_an_event_and_takes_it_out() -> None:
    found = {}
    for name, each in (("first", ANNOUNCED), ("moved", MOVED), ("off", CALLED_OFF)):
        (found[name],) = Calendar.from_ical(as_ical([each], SITE)).walk("VEVENT")
    assert len({str(each["uid"]) for each in found.values()}) == 1
    assert [str(each["sequence"]) for each in found.values()] == ["0", "1", "1"]
    assert [str(each["status"]) for each in found.values()] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    moments = [each.decoded("dtstart").astimezone(LONDON) for each in found.values()]
    assert [f"{each:%d %H:%M}" for each in moments] == ["12 09:30", "16 09:30", "12 09:30"]
    assert 'A <late> "answer"' in str(found["moved"]["description"])


@pytest.mark.parametrize("lacking", ["id", "title", "updated"])
def test_what_is_wrong_is_found(grammar: etree.RelaxNG, lacking: str) -> None:
    """Else the grammar would check nothing."""
    whole = feed(FIRST)
    for place in (".", f"{ATOM}entry"):
        broken = deepcopy(whole)
        part = broken.find(place)
        part.remove(part.find(f"{ATOM}{lacking}"))
        assert not grammar.validate(broken), place
