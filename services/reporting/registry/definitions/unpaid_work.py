"""Unpaid work: imposed, done, outstanding and completed."""

from collections.abc import Iterator
from dataclasses import replace

from contracts.codes import Activity, Attendance, WorkType
from services.reporting.registry.deadlines import NOT_DONE
from services.reporting.registry.definitions.parts import COMPLETION_CLASSES, coded, late_reasons
from services.reporting.registry.indicators import (
    Citation,
    Form,
    Good,
    Indicator,
    Kind,
    Part,
    Status,
    counts,
    form,
    shares,
)

COMPLETED = Form("unpaid_work_completed", tuple(f"class={c}" for c in COMPLETION_CLASSES))
NOT_COMPLETED = Form("unpaid_work_completed", NOT_DONE)


def _completions() -> Iterator[Indicator]:
    """Yield the headline, out of all that fell due; and the share of what was completed, both as its first version and as an indicator of
    its own.
    """
    allowed = (
        "Unpaid work completed within 3 months (orders up to 100 hours) or 6 months (longer orders), or by a later "
        "date that the court set, of all unpaid work "
    )
    reasons = late_reasons(form("unpaid_work_completed", "class=late"))
    completed = Indicator(
        id="unpaid_work_completed_in_time",
        title="Unpaid work completed in time",
        definition=f"{allowed}completed in the period.",
        theme="Unpaid work",
        kind=Kind.SHARE,
        unit="percent",
        numerator=form("unpaid_work_completed", "class=within_period", "class=within_court_date"),
        denominator=COMPLETED,
        exclusions="Unpaid work that is not completed, however long it has been due.",
        good=Good.HIGHER,
        standard="3 or 6 months, or the court's later date",
        source=Citation("Criminal Procedure (Scotland) Act 1995, section 227L"),
        breakdowns=(("class", shares("unpaid_work_completed", COMPLETED.categories, COMPLETED)), *reasons),
        status=Status.EARLIER,
    )
    fell_due = Form("unpaid_work_completed", (*COMPLETED.categories, *NOT_DONE))
    published = "unpaid_work_completed_in_time_of_completed"
    yield completed
    yield replace(
        completed,
        definition=f"{allowed}that fell due: completed in the period, missed for good since the order ended, and overdue.",
        denominator=fell_due,
        exclusions="Unpaid work that is not due yet and is not completed.",
        note=(
            "What was completed counts in the month of completion, what is overdue in the month in which it was due, and what was "
            "missed in the month of imposition."
        ),
        breakdowns=(("class", shares("unpaid_work_completed", fell_due.categories, fell_due)), *reasons),
        version=2,
        status=Status.CURRENT,
        change="Version 1 was a share of what was completed, so that whoever never completed anything looked best.",
        published_as=published,
    )
    yield replace(
        completed,
        id=published,
        title="Unpaid work completed in time, of what was completed",
        status=Status.CURRENT,
        note="As published tables count, for comparison with them. It leaves out what is still not completed.",
    )


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
    *_completions(),
    Indicator(
        id="unpaid_work_days_mean",
        title="Mean days to complete unpaid work",
        definition="Calendar days from imposition to completion of unpaid work, summed and divided by completions.",
        theme="Unpaid work",
        kind=Kind.MEAN,
        unit="days for each completion",
        numerator=form("unpaid_work_days"),
        denominator=COMPLETED,
        exclusions="Unpaid work that is not completed, however long ago it was imposed.",
        good=Good.LOWER,
        breakdowns=(
            (
                "level",
                tuple(
                    Part(
                        f"level={n}",
                        form("unpaid_work_days", f"level={n}"),
                        form("unpaid_work_completed", f"level={n}"),
                    )
                    for n in "12"
                ),
            ),
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
