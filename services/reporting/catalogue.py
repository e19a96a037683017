"""The indicators, as data. A change of a definition raises the entry's version."""

from contracts.codes import (
    CLIENT_BASED,
    SERVICE_BASED,
    Activity,
    AgeBand,
    Attendance,
    BreachOutcome,
    Code,
    CourtType,
    Employment,
    EndReason,
    Ethnicity,
    LateReason,
    OutcomeDomain,
    RequirementKind,
    Sex,
    WorkType,
)
from services.reporting.indicators import Form, Good, Indicator, Kind, Part, Source, counts, form, shares

TABLES = Source("Published tables of justice social work statistics")
GUIDANCE = Source("Practice guidance; not verified in public sources", verified=False)

BANDS = {
    "first_contact": ("within_1", "2_to_5", "over_5"),
    "case_meeting": ("within_5", "6_to_10", "over_10"),
    "induction": ("within_5", "6_to_10", "over_10"),
    "plan": ("within_20", "over_20"),
    "officer": ("within_2", "over_2"),
    "placement": ("within_7", "to_3_weeks", "to_1_month", "to_2_months", "over_2_months"),
}
OUTCOMES = ("applied", "superseded", "duplicate", "rejected")
DELAYS = ("to_1_day", "to_7_days", "to_1_month", "to_3_months", "to_1_year", "over_1_year")
FINDINGS = (
    "facts_without_order",
    "end_before_imposition",
    "decision_without_application",
    "answer_without_request",
    "transfer_out_unmatched",
    "transfer_in_unmatched",
    "transfer_in_twice",
    "session_without_order",
    "credit_after_end",
    "credit_above_ordered",
    "other_activity_above_limit",
    "completed_with_less_credit",
    "completed_order_with_credit_outstanding",
)
COMPLETION_CLASSES = ("within_period", "within_court_date", "late")
_NOT_APPLICABLE = (
    "Orders that could never comply: transferred in, ended before the day it was due, or with such a reason."
)
_ALL_ORDERS = form("orders_imposed")
_ORDERS_ENDED = form("orders_ended")


def _codes(prefix: str, codes: type[Code]) -> tuple[str, ...]:
    return tuple(f"{prefix}={code}" for code in codes)


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


_CATALOGUE = (
    Indicator(
        id="orders_imposed",
        title="Orders imposed",
        definition="Community payback orders that courts imposed in the period, counted by the authority that holds the order.",
        theme="Orders",
        kind=Kind.COUNT,
        unit="orders",
        numerator=_ALL_ORDERS,
        breakdowns=(
            ("sex", counts("orders_imposed", "sex", Sex)),
            ("age_band", counts("orders_imposed", "age_band", AgeBand)),
            ("ethnicity", counts("orders_imposed", "ethnicity", Ethnicity)),
            ("employment", counts("orders_imposed", "employment", Employment)),
            ("court_type", counts("orders_imposed", "court_type", CourtType)),
            ("level", counts("orders_imposed", "level", ("1", "2"))),
        ),
    ),
    Indicator(
        id="orders_imposed_per_10000",
        title="Orders imposed for every 10,000 people aged 16 to 70",
        definition="Orders imposed in the period, for every 10,000 people aged 16 to 70 who live in the area.",
        theme="Orders",
        kind=Kind.POPULATION_RATE,
        unit="orders for every 10,000 people",
        numerator=_ALL_ORDERS,
        note=(
            "The population is approximate: all ages in mid-2022, and the share aged 16 to 70 that the published "
            "rate for Scotland in 2022-23 implies. Use it to compare sizes, not as a published rate."
        ),
    ),
    Indicator(
        id="requirements",
        title="Orders with each requirement",
        definition="Orders imposed in the period by what they require. An order with several requirements counts under each.",
        theme="Orders",
        kind=Kind.SHARE,
        unit="percent",
        numerator=form("requirements_imposed", "requirement=unpaid_work"),
        denominator=_ALL_ORDERS,
        note="The headline figure is orders with unpaid work.",
        breakdowns=(
            ("requirement", shares("requirements_imposed", _codes("requirement", RequirementKind), _ALL_ORDERS)),
        ),
    ),
    Indicator(
        id="unpaid_work_hours_imposed",
        title="Hours of unpaid work imposed",
        definition="Hours of unpaid work or other activity in the orders that courts imposed in the period.",
        theme="Unpaid work",
        kind=Kind.COUNT,
        unit="hours",
        numerator=form("unpaid_work_minutes_imposed"),
        divide=60,
        breakdowns=(("level", counts("unpaid_work_minutes_imposed", "level", ("1", "2"))),),
    ),
    Indicator(
        id="unpaid_work_hours_mean",
        title="Mean hours of unpaid work in an order",
        definition="Hours of unpaid work imposed, divided by the orders that have unpaid work.",
        theme="Unpaid work",
        kind=Kind.MEAN,
        unit="hours for each order",
        numerator=form("unpaid_work_minutes_imposed"),
        denominator=form("requirements_imposed", "requirement=unpaid_work"),
        divide=60,
        breakdowns=(
            (
                "level",
                tuple(
                    Part(
                        f"level={n}",
                        form("unpaid_work_minutes_imposed", f"level={n}"),
                        form("orders_imposed", f"level={n}"),
                    )
                    for n in "12"
                ),
            ),
        ),
    ),
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
        numerator=Form("breach_outcomes", _codes("breach_outcome", BreachOutcome)),
        breakdowns=(("breach_outcome", counts("breach_outcomes", "breach_outcome", BreachOutcome)),),
    ),
    Indicator(
        id="unpaid_work_completed_in_time",
        title="Unpaid work completed in time",
        definition=(
            "Unpaid work completed within 3 months (orders up to 100 hours) or 6 months (longer orders), or by a later "
            "date that the court set, of all unpaid work completed in the period."
        ),
        theme="Unpaid work",
        kind=Kind.SHARE,
        unit="percent",
        numerator=form("unpaid_work_completed", "class=within_period", "class=within_court_date"),
        denominator=Form("unpaid_work_completed", tuple(f"class={c}" for c in COMPLETION_CLASSES)),
        good=Good.HIGHER,
        standard="3 or 6 months, or the court's later date",
        source=Source("Criminal Procedure (Scotland) Act 1995, section 227L"),
        breakdowns=(
            (
                "class",
                shares(
                    "unpaid_work_completed",
                    (f"class={c}" for c in COMPLETION_CLASSES),
                    Form("unpaid_work_completed", tuple(f"class={c}" for c in COMPLETION_CLASSES)),
                ),
            ),
        ),
    ),
    Indicator(
        id="unpaid_work_days_mean",
        title="Mean days to complete unpaid work",
        definition="Calendar days from imposition to completion of unpaid work, summed and divided by completions.",
        theme="Unpaid work",
        kind=Kind.MEAN,
        unit="days for each completion",
        numerator=form("unpaid_work_days"),
        denominator=Form("unpaid_work_completed", tuple(f"class={c}" for c in COMPLETION_CLASSES)),
        good=Good.LOWER,
    ),
    Indicator(
        id="completion_rate",
        title="Orders completed",
        definition="Orders that ended by completion or early discharge, of all orders that ended in the period.",
        theme="Outcomes",
        kind=Kind.SHARE,
        unit="percent",
        numerator=form("orders_ended", "end_reason=completed", "end_reason=early_discharge"),
        denominator=_ORDERS_ENDED,
        good=Good.HIGHER,
        source=TABLES,
        note="(completed + early discharge) / all that ended. See the alternative that leaves out transfers and deaths.",
        breakdowns=(("end_reason", shares("orders_ended", _codes("end_reason", EndReason), _ORDERS_ENDED)),),
    ),
    Indicator(
        id="completion_rate_without_transfers_and_deaths",
        title="Orders completed, leaving out transfers and deaths",
        definition="Orders that ended by completion or early discharge, of orders that ended for another reason than transfer or death.",
        theme="Outcomes",
        kind=Kind.SHARE,
        unit="percent",
        numerator=form("orders_ended", "end_reason=completed", "end_reason=early_discharge"),
        denominator=Form(
            "orders_ended",
            tuple(f"end_reason={r}" for r in EndReason if r not in {EndReason.TRANSFERRED_OUT, EndReason.DIED}),
        ),
        exclusions="Orders that ended by transfer out of the area or by death.",
        good=Good.HIGHER,
    ),
    Indicator(
        id="orders_ended",
        title="Orders ended",
        definition="Orders that ended in the period, for whatever reason.",
        theme="Outcomes",
        kind=Kind.COUNT,
        unit="orders",
        numerator=_ORDERS_ENDED,
        breakdowns=(
            ("age_band", counts("orders_ended", "age_band", AgeBand)),
            ("sex", counts("orders_ended", "sex", Sex)),
        ),
    ),
    Indicator(
        id="hours_credited",
        title="Hours of unpaid work credited",
        definition="Hours credited to people on orders for unpaid work and other activity, by the month they did them.",
        theme="Unpaid work",
        kind=Kind.COUNT,
        unit="hours",
        numerator=form("minutes_credited"),
        divide=60,
        good=Good.HIGHER,
        breakdowns=(
            ("activity", counts("minutes_credited", "activity", (*Activity, "adjustment"))),
            ("work_type", counts("minutes_credited", "work_type", WorkType)),
        ),
    ),
    Indicator(
        id="hours_outstanding",
        title="Hours of unpaid work outstanding",
        definition="Hours imposed and not yet credited, in orders that are open at the end of the period.",
        theme="Unpaid work",
        kind=Kind.STOCK,
        unit="hours",
        numerator=form("minutes_outstanding_opened"),
        minus=form("minutes_outstanding_closed"),
        divide=60,
        good=Good.LOWER,
    ),
    Indicator(
        id="open_orders",
        title="Open orders",
        definition="Orders that were imposed and had not ended at the end of the period.",
        theme="Orders",
        kind=Kind.STOCK,
        unit="orders",
        numerator=form("orders_opened"),
        minus=form("orders_closed"),
    ),
    Indicator(
        id="attendance",
        title="Sessions attended",
        definition="Planned sessions of unpaid work that the person attended and complied with, of all planned.",
        theme="Unpaid work",
        kind=Kind.SHARE,
        unit="percent",
        numerator=form("sessions", "attendance=attended"),
        denominator=form("sessions"),
        good=Good.HIGHER,
        breakdowns=(("attendance", shares("sessions", _codes("attendance", Attendance), form("sessions"))),),
    ),
    *(
        Indicator(
            id=measure,
            title=title,
            definition=definition,
            theme="Outcomes",
            kind=Kind.SHARE,
            unit="percent",
            numerator=form(measure, "change=improved"),
            denominator=Form(measure, ("change=improved", "change=same", "change=worse")),
            exclusions="People measured only once.",
            good=Good.HIGHER,
            breakdowns=(
                (
                    "change",
                    shares(
                        measure,
                        ("change=improved", "change=same", "change=worse"),
                        Form(measure, ("change=improved", "change=same", "change=worse")),
                    ),
                ),
                *extra,
            ),
        )
        for measure, title, definition, extra in (
            (
                "risk_change",
                "Assessed risk that went down",
                "People whose risk level was lower at the last assessment than at the first, of those assessed twice or more.",
                (),
            ),
            (
                "outcome_change",
                "Outcomes that improved",
                "Outcome scores higher at the last measure than at the first, of those measured twice or more.",
                (("domain", counts("outcome_change", "domain", OutcomeDomain)),),
            ),
        )
    ),
    Indicator(
        id="exit_questionnaires",
        title="Exit questionnaires returned",
        definition="Orders that ended in the period and whose exit questionnaire came back, of all that ended.",
        theme="Outcomes",
        kind=Kind.SHARE,
        unit="percent",
        numerator=form("exit_questionnaires", "returned"),
        denominator=form("exit_questionnaires", "returned", "not_returned"),
        good=Good.HIGHER,
    ),
    Indicator(
        id="events_rejected",
        title="Events refused",
        definition="Events that did not keep to the contract and were refused, of all events received in the month.",
        theme="Data quality",
        kind=Kind.SHARE,
        unit="percent",
        numerator=form("events", "outcome=rejected"),
        denominator=Form("events", (f"outcome={outcome}" for outcome in OUTCOMES)),
        good=Good.LOWER,
        breakdowns=(
            (
                "outcome",
                shares(
                    "events",
                    (f"outcome={outcome}" for outcome in OUTCOMES),
                    Form("events", (f"outcome={outcome}" for outcome in OUTCOMES)),
                ),
            ),
        ),
    ),
    Indicator(
        id="reported_within_7_days",
        title="Reported within 7 days",
        definition="Facts whose event arrived within 7 days of the fact, of all that arrived, by the month of the fact.",
        theme="Data quality",
        kind=Kind.SHARE,
        unit="percent",
        numerator=form("reporting_delay", "delay_band=to_1_day", "delay_band=to_7_days"),
        denominator=Form("reporting_delay", (f"delay_band={band}" for band in DELAYS)),
        exclusions="Facts of which nothing has arrived yet, so the latest months look better than they are.",
        good=Good.HIGHER,
        breakdowns=(
            (
                "delay_band",
                shares(
                    "reporting_delay",
                    (f"delay_band={band}" for band in DELAYS),
                    Form("reporting_delay", (f"delay_band={band}" for band in DELAYS)),
                ),
            ),
        ),
    ),
    Indicator(
        id="events_missing",
        title="Numbered events missing",
        definition="Numbers of the sources' own counters that never came, of all numbers up to the highest received.",
        theme="Data quality",
        kind=Kind.SHARE,
        unit="percent",
        numerator=form("sequence", "missing"),
        denominator=form("sequence", "received", "missing"),
        exclusions="Sources that do not number their events.",
        good=Good.LOWER,
    ),
    Indicator(
        id="findings",
        title="Data quality findings",
        definition="Orders whose facts cannot all be so, counted once under each rule that they break.",
        theme="Data quality",
        kind=Kind.COUNT,
        unit="findings",
        numerator=Form("findings", (f"rule={rule}" for rule in FINDINGS)),
        good=Good.LOWER,
        breakdowns=(("rule", counts("findings", "rule", FINDINGS)),),
    ),
    Indicator(
        id="control_totals_orders",
        title="Orders imposed here, against the authorities' own totals",
        definition="Orders imposed as counted here, as a share of the totals with which authorities closed their months.",
        theme="Data quality",
        kind=Kind.SHARE,
        unit="percent",
        numerator=_ALL_ORDERS,
        denominator=form("control_totals", "total=orders_imposed"),
        note="100% is agreement. Authorities that have not closed the month count in the numerator only.",
    ),
)

INDICATORS: dict[str, Indicator] = {indicator.id: indicator for indicator in _CATALOGUE}
