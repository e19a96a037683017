"""How orders end, and what changed for people on them."""

from typing import Any

from contracts.categories import CHANGES
from contracts.codes import AgeBand, EndReason, OutcomeDomain, Sex
from services.reporting.registry.definitions.parts import TABLES, coded
from services.reporting.registry.indicators import Form, Good, Indicator, Kind, Part, Status, counts, form, shares

_ORDERS_ENDED = form("orders_ended")
_SUCCESSFUL = form("orders_ended", "end_reason=completed", "end_reason=early_discharge")
_ENDED_HERE = Form("orders_ended", coded("end_reason", (r for r in EndReason if r is not EndReason.TRANSFERRED_OUT)))
_UNTIL_2017 = (
    "Published tables until 2016-17 counted so. Those since 2017-18 leave out orders transferred out of the area: see the "
    "indicator of orders completed."
)


def _improved_in(domain: OutcomeDomain) -> Part:
    """Return one part of life: its scores that rose, out of all its scores."""
    measured = Form("outcome_change", (f"domain={domain}.{change}" for change in CHANGES))
    return Part(f"domain={domain}", form("outcome_change", f"domain={domain}.improved"), measured)


def _completed(**how: Any) -> Indicator:
    return Indicator(
        theme="Outcomes",
        kind=Kind.SHARE,
        unit="percent",
        numerator=_SUCCESSFUL,
        good=Good.HIGHER,
        source=TABLES,
        **how,
    )


OUTCOMES = (
    _completed(
        id="completion_rate",
        title="Orders completed",
        definition="Orders that ended by completion or early discharge, of all orders that ended in the period.",
        denominator=_ORDERS_ENDED,
        note="(completed + early discharge) / all that ended.",
        breakdowns=(("end_reason", shares("orders_ended", coded("end_reason", EndReason), _ORDERS_ENDED)),),
        status=Status.EARLIER,
    ),
    _completed(
        id="completion_rate",
        title="Orders completed",
        definition=(
            "Orders that ended by completion or early discharge, of all orders that ended in the period but those transferred "
            "out of the area."
        ),
        denominator=_ENDED_HERE,
        exclusions="Orders that ended by transfer out of the area. Orders that ended by death stay in.",
        note="(completed + early discharge) / (all that ended, less transfers out): as published tables count since 2017-18.",
        breakdowns=(("end_reason", shares("orders_ended", _ENDED_HERE.categories, _ENDED_HERE)),),
        version=2,
        change="Leaves out orders transferred out of the area, as published tables do since 2017-18: the work goes on elsewhere.",
    ),
    _completed(
        id="completion_rate_of_all_ended",
        title="Orders completed, of all that ended",
        definition="Orders that ended by completion or early discharge, of all orders that ended in the period, transfers out among them.",
        denominator=_ORDERS_ENDED,
        note=_UNTIL_2017,
        breakdowns=(("end_reason", shares("orders_ended", coded("end_reason", EndReason), _ORDERS_ENDED)),),
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
                (("domain", tuple(map(_improved_in, OutcomeDomain))),),
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
    *(
        Indicator(
            id=f"exit_{question}",
            title=title,
            definition=f"{definition} Mean score, from 1 (not at all) to 5 (very much), of the exit questionnaires that came back.",
            theme="Outcomes",
            kind=Kind.MEAN,
            unit="points out of 5",
            numerator=form("exit_questionnaires", f"sum={question}"),
            denominator=form("exit_questionnaires", "returned"),
            good=Good.HIGHER,
        )
        for question, title, definition in (
            ("helped", "Helped by the order", "How much people say that the order helped them."),
            ("treated_with_respect", "Treated with respect", "How far people say that they were treated with respect."),
            (
                "less_likely_to_offend",
                "Less likely to offend",
                "How much less likely people say they are to offend again.",
            ),
        )
    ),
)
