"""The catalogue only speaks of cells that the contract has, and every part of it can be described."""

from dataclasses import replace

import pytest

from contracts.cells import CATEGORIES
from services.reporting.disclosure.linked_tables import NATIONAL_ONLY, PUBLISHED, cells_in
from services.reporting.formats.metadata import describe
from services.reporting.registry.catalogue import DEFINITIONS, INDICATORS, versions
from services.reporting.registry.deadlines import AWAITED, FROM_IMPOSITION, OVERDUE
from services.reporting.registry.indicators import Indicator, Kind, Status, form
from tests.support.made.proposals import proposal

every = pytest.mark.parametrize("indicator", DEFINITIONS, ids=lambda each: f"{each.id}-{each.version}")


@every
def test_it_is_made_of_cells_of_the_contract(indicator: Indicator) -> None:
    for each in indicator.forms:
        assert set(each.categories) <= CATEGORIES[each.measure] | {OVERDUE}, each
        assert OVERDUE not in each.categories or AWAITED[each.measure] in CATEGORIES


@every
def test_it_says_what_it_is(indicator: Indicator) -> None:
    described = describe(indicator)
    assert described["definition"].endswith(".")
    assert described["unit"]
    assert all(part["label"] for each in described["breakdowns"] for part in each["categories"])


@every
def test_the_parts_of_a_share_are_in_the_whole(indicator: Indicator) -> None:
    part, whole = indicator.numerator, indicator.denominator
    if indicator.kind is Kind.SHARE and whole and part.measure == whole.measure and whole.categories != ("",):
        assert set(part.categories) <= set(whole.categories)


@every
def test_a_standard_names_its_source(indicator: Indicator) -> None:
    assert indicator.standard is None or indicator.source is not None


def test_guidance_that_was_not_verified_is_marked() -> None:
    unverified = {i.id for i in INDICATORS.values() if i.source is not None and not i.source.verified}
    plan = {"plan_within_20", "plan_within_20_of_those_begun"}
    assert unverified == plan | {"reviews_on_time", "transfer_answered_on_time"}


@pytest.mark.parametrize("name", INDICATORS)
def test_versions_follow_each_other(name: str) -> None:
    found = versions(name)
    assert [each.version for each in found] == list(range(1, len(found) + 1))
    order = [Status.EARLIER, Status.CURRENT, Status.PROPOSED]
    assert sorted((each.status for each in found), key=order.index) == [each.status for each in found]
    assert [each.status for each in found].count(Status.CURRENT) == 1
    assert all(each.change for each in found[1:])


def test_every_theme_of_the_design_has_its_indicators() -> None:
    wanted = {"persons_with_new_order_in_year", "completion_rate_of_all_ended"}
    assert wanted <= INDICATORS.keys()
    wanted = {"exit_helped", "supervision_length_mean", "persons_with_new_order", "overdue_placement"}
    assert wanted | {"control_totals_orders", "control_totals_minutes"} <= INDICATORS.keys()


def test_a_cell_of_a_proposed_definition_alone_is_not_public() -> None:
    shown = {cell for each in PUBLISHED for found in each.forms for cell in cells_in(found)}
    proposed = replace(proposal(), denominator=form("orders_ended", "end_reason=completed", "colour=red"))
    for each in (*(found for found in DEFINITIONS if found.status is Status.PROPOSED), proposed):
        only = {cell for found in each.forms for cell in cells_in(found)} - shown
        assert only.isdisjoint(NATIONAL_ONLY), each.id
        assert only or each is not proposed


CLOCKS = {
    "first_contact_within_1",
    "case_meeting_within_5",
    "induction_within_5",
    "placement_within_7",
    "plan_within_20",
    "reviews_on_time",
    "transfer_answered_on_time",
    "unpaid_work_completed_in_time",
}


@pytest.mark.parametrize("name", sorted(CLOCKS))
def test_the_headline_of_a_clock_is_of_all_that_fell_due(name: str) -> None:
    whole = INDICATORS[name].denominator
    assert whole is not None
    assert whole.measure in AWAITED
    assert {"missed", "overdue"} < set(whole.categories)
    assert {"missed", "overdue"}.isdisjoint(INDICATORS[name].numerator.categories)


def test_every_clock_that_tells_what_is_pending_has_its_headline() -> None:
    assert {INDICATORS[name].numerator.measure for name in CLOCKS} == set(AWAITED)


@pytest.mark.parametrize("name", sorted(CLOCKS - {"reviews_on_time", "transfer_answered_on_time"}))
def test_the_published_definition_stands_beside_it(name: str) -> None:
    beside = INDICATORS[name].published_as
    assert beside is not None
    published, first = INDICATORS[beside], versions(name)[0]
    assert (published.numerator, published.denominator) == (first.numerator, first.denominator)
    assert published.denominator is not None
    assert {"missed", "overdue"}.isdisjoint(published.denominator.categories)
    assert "published tables" in (published.note or "")


def test_reasons_are_counted_for_every_clock_whose_event_takes_one() -> None:
    takes_a_reason = {*FROM_IMPOSITION, "unpaid_work_completed", "breach_lodged", "transfer_answered"}
    with_reasons = {
        each.numerator.measure
        for each in INDICATORS.values()
        if {"late_reason", "reason_side"} <= {name for name, _ in each.breakdowns}
    }
    assert with_reasons == takes_a_reason
    for each in INDICATORS.values():
        for part in dict(each.breakdowns).get("late_reason", ()):
            assert part.denominator is not None
            assert "missed" not in part.denominator.categories, "nobody gives a reason for what has not happened"
