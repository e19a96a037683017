"""Parts that several themes share."""

from collections.abc import Iterable

from contracts.categories import BANDS
from contracts.codes import CLIENT_BASED, SERVICE_BASED, Code, LateReason
from services.reporting.registry.indicators import Citation, Form, Part, form, shares

TABLES = Citation("Published tables of justice social work statistics")
GUIDANCE = Citation("Practice guidance; not verified in public sources", verified=False)
COMPLETION_CLASSES = ("within_period", "within_court_date", "late")
ORDERS_IMPOSED = form("orders_imposed")


def coded(prefix: str, codes: Iterable[Code]) -> tuple[str, ...]:
    """Return the categories of a list of codes."""
    return tuple(f"{prefix}={code}" for code in codes)


Breakdowns = tuple[tuple[str, tuple[Part, ...]], ...]


def late_reasons(late: Form) -> Breakdowns:
    """Return breakdowns of late duties by reason, and by whether the reason lies with the person or with the service.

    A clock with bands has no reasons with which it would not apply; other clocks have all of them.
    """
    has_bands = late.measure in BANDS
    reasons = (reason for reason in LateReason if not has_bands or reason in CLIENT_BASED | SERVICE_BASED)
    sides = (("client_based", CLIENT_BASED), ("service_based", SERVICE_BASED))
    return (
        ("late_reason", shares(late.measure, coded("reason", reasons), late)),
        ("reason_side", tuple(Part(name, Form(late.measure, coded("reason", group)), late) for name, group in sides)),
    )
