"""Descriptions of definitions and releases, in the same words in the API, in files and on the pages."""

from typing import Any

from contracts.periods import LONDON
from services.chassis.web.categories import BREAKDOWNS, category_label
from services.reporting.registry.catalogue import versions
from services.reporting.registry.indicators import Form, Indicator
from services.reporting.releases.calendar import Announcement
from services.reporting.releases.index import ReleaseInfo
from services.reporting.releases.notices import Notice, NoticeKind

TITLES = {NoticeKind.NOTE: "Note on", NoticeKind.CORRECTION: "Correction of", NoticeKind.WITHDRAWAL: "Withdrawal of"}


def describe(indicator: Indicator) -> dict[str, Any]:
    """Return the definition, for machines and people."""
    return {
        "id": indicator.id,
        "title": indicator.title,
        "definition": indicator.definition,
        "theme": indicator.theme,
        "kind": indicator.kind,
        "unit": indicator.unit,
        "numerator": _describe_form(indicator.numerator),
        "denominator": _describe_form(indicator.denominator),
        "exclusions": indicator.exclusions,
        "direction_of_good": indicator.good,
        "standard": indicator.standard,
        "source": None
        if indicator.source is None
        else {"words": indicator.source.words, "verified": indicator.source.verified},
        "note": indicator.note,
        "published_as": indicator.published_as,
        "provisional": provisional_words(indicator),
        "breakdowns": [
            {
                "id": name,
                "title": BREAKDOWNS[name],
                "categories": [{"id": part.category, "label": category_label(part.category)} for part in parts],
            }
            for name, parts in indicator.breakdowns
        ],
        "version": indicator.version,
        "status": indicator.status,
        "change": indicator.change,
    }


def provisional_words(indicator: Indicator) -> str:
    """Return how long a month is provisional, in words."""
    number, unit = indicator.open_for
    if not number:
        return "A month is provisional until it is over."
    return f"A month is provisional until {number} {unit if number > 1 else unit.removesuffix('s')} after its last day."


def describe_with_versions(indicator: Indicator) -> dict[str, Any]:
    """Return the definition in force, and every version of it."""
    return describe(indicator) | {"versions": [describe(each) for each in versions(indicator.id)]}


def _describe_form(form: Form | None) -> dict[str, Any] | None:
    return None if form is None else {"measure": form.measure, "categories": form.categories}


def describe_release(release: ReleaseInfo) -> dict[str, Any]:
    """Return a release without its figures."""
    return {
        "id": release.id,
        "status": release.status,
        "last_month": f"{release.last_month:%Y-%m}",
        "known_on": release.known_on,
        "content_hash": release.content_hash,
        "made_at": release.made_at,
        "published_at": release.published_at,
        "withdrawn_at": release.withdrawn_at,
        "note": release.own_notices[-1].reason if release.own_notices else None,
        "notices": [describe_notice(each) for each in release.notices],
        "corrected_by": release.corrected_by,
        "corrects": release.corrects,
    }


def describe_notice(notice: Notice) -> dict[str, Any]:
    """Return a notice without its author: to readers, the publisher speaks."""
    return {
        "release": notice.release,
        "at": notice.at,
        "kind": notice.kind,
        "reason": notice.reason,
        "successor": notice.successor,
    }


def notice_words(notice: Notice) -> str:
    """Return a notice in one line, as in `Correction of 2026-03.1 by 2026-03.2, 10 May 2026: hours were counted twice`."""
    by = f" by {notice.successor}" if notice.successor else ""
    day = f"{notice.at.astimezone(LONDON):%-d %B %Y}"
    return f"{TITLES[notice.kind]} {notice.release}{by}, {day}: {notice.reason}"


def describe_announcement(announcement: Announcement) -> dict[str, Any]:
    """Return the announced day for the figures up to a month, and all announcements."""
    return {
        "last_month": f"{announcement.month:%Y-%m}",
        "day": announcement.day,
        "moment": announcement.moment,
        "published": announcement.is_out,
        "said": [{"at": each.at, "day": each.day, "reason": each.reason or None} for each in announcement.said],
    }


def describe_frozen(release: ReleaseInfo) -> dict[str, Any]:
    """Return a release, and the definitions that were in force for it."""
    return describe_release(release) | {"definitions": release.versions}
