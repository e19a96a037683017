"""The change list of a release, arranged for reading."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from contracts.cells import MEASURES
from contracts.periods import last_day
from services.chassis.web.categories import category_label
from services.reporting.disclosure.gate import ChangeRow, Gate
from services.reporting.figures.answers import Enquiry
from services.reporting.files import changed, store
from services.reporting.files.bundle import CHANGES
from services.reporting.pages.content import words
from services.reporting.registry.areas import name_on
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.releases import index
from services.reporting.releases.index import DRAFT, PUBLISHED, ReleaseInfo

CHANGES_SHOWN = 200
AMOUNTS = {"minutes", "months", "days"}
"""Units of cells that count no orders or events."""
REASONS = {"new": "New", **changed.REASONS}


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One cell or figure that changed."""

    what: str
    category: str
    area: str
    period: str
    before: str
    after: str
    why: str


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes of a release: counts of all, and a list of the first, of one area if one is asked for."""

    lines: tuple[ChangeLine, ...]
    reasons: tuple[tuple[str, int], ...]
    """How many changes have each reason, the most frequent first."""
    areas: tuple[tuple[str, int], ...] = ()
    """How many changes there are by kind of area, if figures of all areas can be listed."""
    of_area: int = 0
    """How many changes there are of the listed area."""

    @property
    def number(self) -> int:
        """Return how many changes there are."""
        return sum(count for _, count in self.reasons)


def published_changes(connection: Connection, release: str, area: str) -> Changes | None:
    """Return published figures that changed, from the file of them; None if it has not been made."""
    file = store.content_of(connection, release, CHANGES)
    if file is None:
        return None
    rows = list(changed.lines_of(file, {}))
    own = [row for row in rows if row["area_code"] == area]
    reasons = Counter(changed.REASONS[row["reason"]] for row in rows)
    kinds = Counter(row["area_type"] for row in rows)
    lines = tuple(_published(row) for row in own[:CHANGES_SHOWN])
    areas = tuple((said, kinds[kind]) for kind, said in _KINDS.items() if kinds[kind])
    return Changes(lines, tuple(reasons.most_common()), areas, len(own))


_KINDS = {"country": "of Scotland", "authority": "of authorities", "health board area": "of health board areas"}


def _published(row: Mapping[str, str]) -> ChangeLine:
    return ChangeLine(
        row["indicator_title"],
        ": ".join(row[name] for name in ("breakdown", "category") if row[name]),
        row["area"],
        words.period(row["period"], monthly=row["period_type"] == "month"),
        _figure(row, "_before"),
        _figure(row, ""),
        changed.REASONS[row["reason"]],
    )


def _figure(row: Mapping[str, str], when: str) -> str:
    """Return a figure with its counts, since these may change even if the value hardly does."""
    value, above, below = (row[f"{name}{when}"] for name in ("value", "numerator", "denominator"))
    if not value:
        return f"[{row[f'mark{when}']}]"
    told = words.value(float(value), row["unit"])
    return f"{told} ({float(above):,.0f} of {float(below):,.0f})" if below else told


def cell_changes(enquiry: Enquiry, release: ReleaseInfo) -> Changes:
    """Return the first changes of a release cell by cell, for viewers who may see cells."""
    lines = change_lines(enquiry, release)
    return Changes(tuple(lines), tuple(Counter(each.why for each in lines).most_common()))


def change_lines(enquiry: Enquiry, release: ReleaseInfo) -> list[ChangeLine]:
    """Return the first changes of a release; of a withdrawn one, only for national viewers."""
    if release.status not in {PUBLISHED, DRAFT} and enquiry.viewer.audience != "national":
        return []
    gate = Gate(enquiry.viewer)
    found = gate.changes(index.changes_of(enquiry.connection, enquiry.viewer, release.id, None, CHANGES_SHOWN))
    return [_line(row) for row in found]


def measured(name: str) -> str:
    """Return what is counted, with its unit unless that is the orders or events of the name."""
    measure = MEASURES[name]
    return f"{measure.meaning}, in {measure.unit}" if measure.unit in AMOUNTS else measure.meaning


def _line(row: ChangeRow) -> ChangeLine:
    if row.why == "definition":
        part, old, new = row.category.split("/")
        what, category = INDICATORS[row.measure].title, f"{part.capitalize()}, version {old} to {new}"
    else:
        what, category = measured(row.measure), category_label(row.category)
    return ChangeLine(
        what,
        category,
        name_on(row.authority, last_day(row.period)),
        words.month(row.period),
        words.SUPPRESSED if row.before is None else f"{row.before:,}",
        words.SUPPRESSED if row.after is None else f"{row.after:,}",
        REASONS[row.why],
    )
