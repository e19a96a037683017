"""What several themes need."""

from contracts.codes import Code
from services.reporting.registry.indicators import Source, form

TABLES = Source("Published tables of justice social work statistics")
GUIDANCE = Source("Practice guidance; not verified in public sources", verified=False)
COMPLETION_CLASSES = ("within_period", "within_court_date", "late")
ORDERS_IMPOSED = form("orders_imposed")


def coded(prefix: str, codes: type[Code]) -> tuple[str, ...]:
    """The categories of a list of codes."""
    return tuple(f"{prefix}={code}" for code in codes)
