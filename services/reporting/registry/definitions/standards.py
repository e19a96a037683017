"""Standards with a clock, and what falls due later: reviews, breach and transfers."""

from contracts.codes import CLIENT_BASED, SERVICE_BASED, BreachOutcome, LateReason
from services.reporting.registry.definitions.parts import GUIDANCE, TABLES, coded
from services.reporting.registry.indicators import Form, Good, Indicator, Kind, Part, Source, counts, form, shares

BANDS = {
    "first_contact": ("within_1", "2_to_5", "over_5"),
    "case_meeting": ("within_5", "6_to_10", "over_10"),
    "induction": ("within_5", "6_to_10", "over_10"),
    "plan": ("within_20", "over_20"),
    "officer": ("within_2", "over_2"),
    "placement": ("within_7", "to_3_weeks", "to_1_month", "to_2_months", "over_2_months"),
}
_NOT_APPLICABLE = (
    "Orders that could never comply: transferred in, ended before the day it was due, or with such a reason."
)


def _clock(measure: str, title: str, definition: str, standard: str, theme: str, source: Source) -> Indicator:
    """A standard with a clock: the share of orders in the first band, and how late the others were and why."""
    bands = tuple(f"band={band}" for band in BANDS[measure])
    everyone = Form(measure, bands)
    late = Form(measure, bands[1:])
    reasons = [reason for reason in LateReason if reason in CLIENT_BASED | SERVICE_BASED]
    side = tuple(
        Part(name, Form(measure, tuple(f"reason={r}" for r in LateReason if r in group)), late)
        for name, group in (("client_based", CLIENT_BASED), ("service_based", SERVICE_BASED))
    )
    return Indicator(
        id=f"{measure}_{BANDS[measure][0]}",
        title=title,
        definition=definition,
        theme=theme,
        kind=Kind.SHARE,
        unit="percent",
        numerator=form(measure, bands[0]),
        denominator=everyone,
        exclusions=f"{_NOT_APPLICABLE} Orders for which it has not happened yet.",
        good=Good.HIGHER,
        standard=standard,
        source=source,
        breakdowns=(
            ("band", shares(measure, bands, everyone)),
            ("late_reason", shares(measure, (f"reason={r}" for r in reasons), late)),
            ("reason_side", side),
        )
        if measure != "officer"
        else (("band", shares(measure, bands, everyone)),),
    )


def _due(measure: str, title: str, definition: str, parts: tuple[str, ...], source: Source) -> Indicator:
    """A standard that falls due in a month: the share done on time of all that fell due."""
    due = Form(measure, parts)
    return Indicator(
        id=f"{measure}_on_time",
        title=title,
        definition=definition,
        theme="Breach, reviews and transfers",
        kind=Kind.SHARE,
        unit="percent",
        numerator=form(measure, parts[0]),
        denominator=due,
        exclusions="Those marked as not applicable." if len(parts) > 2 else "None.",
        good=Good.HIGHER,
        standard=definition,
        source=source,
        breakdowns=(("outcome", shares(measure, parts, due)),),
    )


STANDARDS = (
    _clock(
        "first_contact",
        "First contact within 1 working day",
        "Orders whose first contact was made within 1 working day of imposition, of those for which it was made.",
        "1 working day",
        "Standards",
        TABLES,
    ),
    _clock(
        "officer",
        "Responsible officer named within 2 days",
        "Orders whose responsible officer was named within 2 days of the authority receiving the order, of those with both dates.",
        "2 days",
        "Standards",
        Source("Criminal Procedure (Scotland) Act 1995, section 227C"),
    ),
    _clock(
        "case_meeting",
        "First case management meeting within 5 working days",
        "Orders with supervision whose first case management meeting was within 5 working days, of those that had one.",
        "5 working days",
        "Standards",
        TABLES,
    ),
    _clock(
        "induction",
        "Induction to unpaid work within 5 working days",
        "Orders with unpaid work whose induction was within 5 working days of imposition, of those that had one.",
        "5 working days",
        "Standards",
        TABLES,
    ),
    _clock(
        "placement",
        "First placement within 7 working days",
        "Orders with unpaid work whose first placement began within 7 working days of imposition, of those that began.",
        "7 working days",
        "Standards",
        TABLES,
    ),
    _clock(
        "plan",
        "Case management plan within 20 working days",
        "Orders with supervision whose plan was agreed within 20 working days of imposition, of those with a plan.",
        "20 working days",
        "Standards",
        GUIDANCE,
    ),
    _due(
        "reviews",
        "Departmental reviews held on time",
        "Reviews held by the day they were due: at 3 months, 6 months, and then every 6 months while the order is open.",
        ("on_time", "late", "missed"),
        GUIDANCE,
    ),
    _due(
        "breach_lodged",
        "Breach applications lodged within 5 working days",
        "Breach applications lodged with the court within 5 working days of the decision to make them.",
        ("on_time", "late"),
        TABLES,
    ),
    _due(
        "transfer_answered",
        "Requests for transfer answered within 5 working days",
        "Requests to transfer an order to another authority that were answered within 5 working days.",
        ("on_time", "late", "missed"),
        GUIDANCE,
    ),
    Indicator(
        id="breach_outcomes",
        title="Decisions on breach",
        definition="What courts decided on applications for breach, by month of the decision.",
        theme="Breach, reviews and transfers",
        kind=Kind.COUNT,
        unit="decisions",
        numerator=Form("breach_outcomes", coded("breach_outcome", BreachOutcome)),
        breakdowns=(("breach_outcome", counts("breach_outcomes", "breach_outcome", BreachOutcome)),),
    ),
)
