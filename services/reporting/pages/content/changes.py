"""The change list of a release, as people read it."""

from dataclasses import dataclass

from contracts.cells import MEASURES
from contracts.periods import last_day
from services.reporting.disclosure.gate import ChangeRow, Gate
from services.reporting.figures.answers import Enquiry
from services.reporting.formats.labels import category_label
from services.reporting.pages.content import words
from services.reporting.registry.areas import name_on
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.releases import index
from services.reporting.releases.index import DRAFT, PUBLISHED, ReleaseInfo

CHANGES_SHOWN = 500
AMOUNTS = {"minutes", "months", "days"}
"""Units of cells that count no orders or events."""
REASONS = {
    "new": "New",
    "late": "Came late",
    "corrected": "Corrected",
    "withdrawn": "Withdrawn",
    "definition": "New definition",
}


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One cell that moved."""

    what: str
    category: str
    area: str
    month: str
    before: str
    after: str
    why: str


def change_lines(enquiry: Enquiry, release: ReleaseInfo) -> list[ChangeLine]:
    """The first changes of a release; of a withdrawn one, only for national viewers."""
    if release.status not in {PUBLISHED, DRAFT} and enquiry.viewer.audience != "national":
        return []
    gate = Gate(enquiry.viewer)
    found = gate.changes(index.changes_of(enquiry.connection, enquiry.viewer, release.id, None, CHANGES_SHOWN))
    return [_line(row) for row in found]


def measured(name: str) -> str:
    """What is counted, with its unit where these are not simply the orders or events that it names."""
    measure = MEASURES[name]
    return f"{measure.meaning}, in {measure.unit}" if measure.unit in AMOUNTS else measure.meaning


def _line(row: ChangeRow) -> ChangeLine:
    if row.why == "definition":
        part, old, new = row.category.split("/")
        what, category = INDICATORS[row.measure].title, f"{part.capitalize()}, version {old} to {new}"
    else:
        what, category = measured(row.measure), category_label(row.measure, row.category)
    return ChangeLine(
        what,
        category,
        name_on(row.authority, last_day(row.period)),
        words.month(row.period),
        words.SUPPRESSED if row.before is None else f"{row.before:,}",
        words.SUPPRESSED if row.after is None else f"{row.after:,}",
        REASONS[row.why],
    )
