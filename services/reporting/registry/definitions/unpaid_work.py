"""Unpaid work: imposed, done, outstanding and completed."""

from contracts.codes import Activity, Attendance, WorkType
from services.reporting.registry.definitions.parts import COMPLETION_CLASSES, coded
from services.reporting.registry.indicators import Form, Good, Indicator, Kind, Part, Source, counts, form, shares

UNPAID_WORK = (
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
        id="attendance",
        title="Sessions attended",
        definition="Planned sessions of unpaid work that the person attended and complied with, of all planned.",
        theme="Unpaid work",
        kind=Kind.SHARE,
        unit="percent",
        numerator=form("sessions", "attendance=attended"),
        denominator=form("sessions"),
        good=Good.HIGHER,
        breakdowns=(("attendance", shares("sessions", coded("attendance", Attendance), form("sessions"))),),
    ),
)
