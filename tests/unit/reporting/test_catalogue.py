"""The catalogue only speaks of cells that the contract has, and every part of it can be described."""

import pytest

from contracts.cells import MEASURES
from services.reporting.catalogue import INDICATORS
from services.reporting.indicators import Indicator, Kind
from services.reporting.metadata import describe

every = pytest.mark.parametrize("indicator", INDICATORS.values(), ids=lambda each: each.id)


@every
def test_it_is_made_of_cells_of_the_contract(indicator: Indicator) -> None:
    for form in indicator.forms:
        measure = MEASURES[form.measure]
        for category in form.categories:
            assert measure.total if category == "" else category.partition("=")[0] in measure.dimensions, form


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
    assert unverified == {"plan_within_20", "reviews_on_time", "transfer_answered_on_time"}
