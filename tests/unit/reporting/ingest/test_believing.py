"""A cell is believed only of the service whose seal it bears, and only of what that service counts."""

from datetime import date

import pytest

from contracts.cells import MEASURES, Aggregate, Cell, Position, Service, encode_aggregate
from services.chassis.streaming.seal import Sealer, sealer
from services.reporting.ingest.believing import Believing, Disbelieved
from services.reporting.settings import AggregatesSettings

ORDERS, UNPAID_WORK = Sealer((b"o" * 32,)), Sealer((b"u" * 32,))
BELIEVING = Believing({"orders": ORDERS, "unpaid_work": UNPAID_WORK})
FIFE = "S12000047"


def cell(service: Service = "unpaid_work", measure: str = "sessions", authority: str = FIFE) -> Cell:
    return Cell(service, authority, 1, 1, measure, date(2026, 3, 1), "", date(2026, 4, 1), 7)


POSITION = Position("unpaid_work", FIFE, 1, 1, {}, None)


def read(aggregate: Aggregate, by: Sealer | None, believing: Believing = BELIEVING) -> Aggregate:
    key, value = aggregate.key.encode(), encode_aggregate(aggregate)
    return believing.read(key, value, by and by.seal(key, value))


@pytest.mark.parametrize("aggregate", [cell(), POSITION, cell("orders", "reviews"), cell("orders", "events")], ids=str)
def test_what_its_service_sealed_is_believed(aggregate: Cell | Position) -> None:
    assert read(aggregate, ORDERS if aggregate.service == "orders" else UNPAID_WORK) == aggregate


@pytest.mark.parametrize("aggregate", [cell(), POSITION], ids=str)
@pytest.mark.parametrize("by", [ORDERS, None, Sealer((b"x" * 32,))], ids=["the other", "nobody", "a stranger"])
def test_nobody_else_is_believed(aggregate: Aggregate, by: Sealer | None) -> None:
    with pytest.raises(Disbelieved, match="not sealed by unpaid_work"):
        read(aggregate, by)


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("service", ["orders", "unpaid_work"])
def test_each_service_counts_what_is_its_own(name: str, service: Service) -> None:
    """Else one could add to the other's cells under its own name, since cells of both are summed."""
    by = ORDERS if service == "orders" else UNPAID_WORK
    if service in MEASURES[name].services:
        assert read(cell(service, name), by) == cell(service, name)
    else:
        with pytest.raises(Disbelieved, match=f"{name} is not for {service}"):
            read(cell(service, name), by)


def test_a_seal_is_good_for_its_own_message_only() -> None:
    one, other = cell(), cell(measure="placement")
    seal = UNPAID_WORK.seal(one.key.encode(), encode_aggregate(one))
    with pytest.raises(Disbelieved, match="not sealed"):
        BELIEVING.read(other.key.encode(), encode_aggregate(other), seal)
    with pytest.raises(Disbelieved, match="key"):
        BELIEVING.read(other.key.encode(), encode_aggregate(one), seal)


def test_there_is_nothing_to_believe_of_an_authority_that_is_none() -> None:
    with pytest.raises(Disbelieved, match="no such authority"):
        read(cell(authority="S99999999"), UNPAID_WORK)


def test_while_a_key_changes_both_seals_are_believed() -> None:
    both = AggregatesSettings(unpaid_work_key=f"{'n' * 32}, {'u' * 32}").believing
    for by in (UNPAID_WORK, Sealer((b"n" * 32,))):
        assert read(cell(), by, both) == cell()
    with pytest.raises(Disbelieved):
        read(cell(), Sealer((b"n" * 32,)))


def test_a_short_key_is_refused() -> None:
    assert sealer("") is None
    with pytest.raises(ValueError, match="32 characters"):
        AggregatesSettings(orders_key="short")
