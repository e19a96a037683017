"""The quality of reporting itself."""

from contracts.categories import FINDINGS
from services.reporting.registry.indicators import Form, Good, Indicator, Kind, Status, counts, form, shares

_OUTCOMES = ("applied", "superseded", "duplicate", "rejected")
DELAYS = ("to_1_day", "to_7_days", "to_1_month", "to_3_months", "to_1_year", "over_1_year")
_AGREEMENT = (
    "Version 1 divided all orders by the totals of those authorities that had closed the month, so that it was above 100% "
    "wherever one had not, and errors of two authorities could cancel each other out."
)
DATA_QUALITY = (
    Indicator(
        id="events_rejected",
        title="Events refused",
        definition="Events that did not keep to the contract and were refused, of all events received in the month.",
        theme="Data quality",
        kind=Kind.SHARE,
        unit="percent",
        numerator=form("events", "outcome=rejected"),
        denominator=Form("events", (f"outcome={outcome}" for outcome in _OUTCOMES)),
        good=Good.LOWER,
        breakdowns=(
            (
                "outcome",
                shares(
                    "events",
                    (f"outcome={outcome}" for outcome in _OUTCOMES),
                    Form("events", (f"outcome={outcome}" for outcome in _OUTCOMES)),
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
        numerator=form("orders_imposed"),
        denominator=form("control_totals", "total=orders_imposed"),
        note="100% is agreement. Authorities that have not closed the month count in the numerator only.",
        status=Status.EARLIER,
    ),
    *(
        Indicator(
            id=f"control_totals_{name}",
            title=f"Months whose {words} agree with the authority's own total",
            definition=(
                f"Months of authorities for which the {words} counted here equal the total with which the authority closed "
                "the month, of all months closed with such a total."
            ),
            theme="Data quality",
            kind=Kind.AGREEMENT,
            unit="percent",
            numerator=form(measure),
            denominator=form("control_totals", f"total={measure}"),
            exclusions="Months that the authority has not closed, or closed with a total of nothing.",
            good=Good.HIGHER,
            version=version,
            change=change,
        )
        for name, measure, words, version, change in (
            ("orders", "orders_imposed", "orders imposed", 2, _AGREEMENT),
            ("orders_ended", "orders_ended", "orders ended", 1, None),
            ("minutes", "minutes_credited", "minutes of unpaid work credited", 1, None),
        )
    ),
)
