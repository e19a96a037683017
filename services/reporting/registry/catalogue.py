"""The indicators, as data: each in every version of its definition. A change of a definition is a new version, never an edit."""

from contracts.cells import CATEGORIES
from services.reporting.registry import deadlines
from services.reporting.registry.absent import NotThere
from services.reporting.registry.definitions.data_quality import DATA_QUALITY
from services.reporting.registry.definitions.orders import ORDERS
from services.reporting.registry.definitions.outcomes import OUTCOMES
from services.reporting.registry.definitions.overdue import OVERDUE
from services.reporting.registry.definitions.standards import STANDARDS
from services.reporting.registry.definitions.unpaid_work import UNPAID_WORK
from services.reporting.registry.indicators import Indicator, Status

DEFINITIONS: tuple[Indicator, ...] = (*ORDERS, *UNPAID_WORK, *STANDARDS, *OVERDUE, *OUTCOMES, *DATA_QUALITY)
"""Every version: earlier ones answer for releases that froze them, and proposed ones run beside the current for national viewers."""

if unknown := {
    (f.measure, c)
    for each in DEFINITIONS
    for f in each.forms
    for c in f.categories
    if c not in CATEGORIES[f.measure] and not (c == deadlines.OVERDUE and f.measure in deadlines.AWAITED)
}:
    raise LookupError(f"the contract has no such cells: {sorted(unknown)}")

INDICATORS: dict[str, Indicator] = {each.id: each for each in DEFINITIONS if each.status is Status.CURRENT}
"""The versions in force."""


def versions(indicator: str) -> tuple[Indicator, ...]:
    """Return all versions of one indicator, in order."""
    return tuple(sorted((each for each in DEFINITIONS if each.id == indicator), key=lambda each: each.version))


def definition(indicator: str, version: int) -> Indicator:
    """Return one version of an indicator. Raises NotThere for an unknown version."""
    found = next((each for each in versions(indicator) if each.version == version), None)
    if found is None:
        raise NotThere(f"There is no version {version} of {indicator}"[:80])
    return found
