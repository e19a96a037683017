"""Orders imposed, their requirements, and how many are open."""

from dataclasses import replace

from contracts.codes import AgeBand, CourtType, Employment, Ethnicity, RequirementKind, Sex
from services.reporting.registry.definitions.parts import ORDERS_IMPOSED, TABLES, coded
from services.reporting.registry.indicators import Indicator, Kind, Status, counts, form, shares

LENGTH_BANDS = ("to_6", "to_12", "to_18", "to_24", "to_36")
_PER_POPULATION = Indicator(
    id="orders_imposed_per_10000",
    title="Orders imposed for every 10,000 people aged 16 to 70",
    definition="Orders imposed in the period, for every 10,000 people aged 16 to 70 who live in the area.",
    theme="Orders",
    kind=Kind.POPULATION_RATE,
    unit="orders for every 10,000 people",
    numerator=ORDERS_IMPOSED,
    note=(
        "The population is approximate: all ages in mid-2022, and the share aged 16 to 70 that the published "
        "rate for Scotland in 2022-23 implies. Use it to compare sizes, not as a published rate."
    ),
    status=Status.EARLIER,
)
_PER_YEAR = replace(
    _PER_POPULATION,
    title="Orders imposed in a year for every 10,000 people aged 16 to 70",
    definition=(
        "Orders imposed for every 10,000 people aged 16 to 70 who live in the area, at the rate of a year: what was imposed "
        "in fewer or more than 12 months is multiplied by 12 and divided by these months."
    ),
    unit="orders a year for every 10,000 people",
    version=2,
    change="Version 1 was not put at the rate of a year, so that figures of a month and of a year could not be compared.",
    per_year=True,
)
ORDERS = (
    Indicator(
        id="orders_imposed",
        title="Orders imposed",
        definition="Community payback orders that courts imposed in the period, counted by the authority that holds the order.",
        theme="Orders",
        kind=Kind.COUNT,
        unit="orders",
        numerator=ORDERS_IMPOSED,
        breakdowns=(
            ("sex", counts("orders_imposed", "sex", Sex)),
            ("age_band", counts("orders_imposed", "age_band", AgeBand)),
            ("ethnicity", counts("orders_imposed", "ethnicity", Ethnicity)),
            ("employment", counts("orders_imposed", "employment", Employment)),
            ("court_type", counts("orders_imposed", "court_type", CourtType)),
            ("level", counts("orders_imposed", "level", ("1", "2"))),
        ),
    ),
    _PER_POPULATION,
    _PER_YEAR,
    replace(
        _PER_YEAR,
        definition=f"{_PER_YEAR.definition} People of authorities that reported nothing of the period are left out.",
        version=3,
        status=Status.CURRENT,
        change="Version 2 was of everybody in the area, so that it was too low wherever an authority had not reported.",
        of_reported=True,
    ),
    Indicator(
        id="requirements",
        title="Orders with each requirement",
        definition="Orders imposed in the period by what they require. An order with several requirements counts under each.",
        theme="Orders",
        kind=Kind.SHARE,
        unit="percent",
        numerator=form("requirements_imposed", "requirement=unpaid_work"),
        denominator=ORDERS_IMPOSED,
        note="The headline figure is orders with unpaid work.",
        breakdowns=(
            ("requirement", shares("requirements_imposed", coded("requirement", RequirementKind), ORDERS_IMPOSED)),
        ),
    ),
    Indicator(
        id="persons_with_new_order",
        title="People with a new order",
        definition="People on whom a court imposed an order in the month, each counted once in a month however many orders they got.",
        theme="Orders",
        kind=Kind.COUNT,
        unit="people",
        numerator=form("persons_with_new_order"),
        note=(
            "Over more than one month, somebody with new orders in two of them counts twice: see people with a new order in a year."
        ),
    ),
    Indicator(
        id="persons_with_new_order_in_year",
        title="People with a new order in a year",
        definition=(
            "People on whom a court imposed an order in the year from April to March, each counted once in a year however many "
            "orders they got."
        ),
        theme="Orders",
        kind=Kind.YEARLY,
        unit="people",
        numerator=form("persons_with_new_order_in_year"),
        exclusions="Orders transferred in: the authority that they came from has counted them.",
        note=(
            "Told by whole years only, whatever is asked for: months do not add up to it. In Scotland, somebody with orders in two "
            "authorities counts in each."
        ),
        source=TABLES,
    ),
    Indicator(
        id="supervision_months_imposed",
        title="Months of supervision imposed",
        definition="Months of supervision in the orders that courts imposed in the period.",
        theme="Orders",
        kind=Kind.COUNT,
        unit="months",
        numerator=form("supervision_months_imposed"),
        breakdowns=(("length_band", counts("supervision_months_imposed", "length_band", LENGTH_BANDS)),),
    ),
    Indicator(
        id="supervision_length_mean",
        title="Mean length of supervision",
        definition="Months of supervision imposed, divided by the orders that have supervision.",
        theme="Orders",
        kind=Kind.MEAN,
        unit="months for each order",
        numerator=form("supervision_months_imposed"),
        denominator=form("requirements_imposed", "requirement=supervision"),
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
        id="persons_with_open_order",
        title="People with an open order",
        definition="People who had at least one open order at the end of the period, each counted once in an authority.",
        theme="Orders",
        kind=Kind.STOCK,
        unit="people",
        numerator=form("persons_opened"),
        minus=form("persons_closed"),
        note="In Scotland, somebody with orders in two authorities counts in each. Not public.",
    ),
)
