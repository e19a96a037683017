"""A proposed version of a definition: the catalogue may have none at the time, and the way that they go must work."""

from dataclasses import replace

import pytest

from services.reporting.registry import catalogue
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Indicator, Status, form

ID = "completion_rate"


def proposal() -> Indicator:
    """Return a proposal: out of all orders that ended, as in the first version."""
    current = INDICATORS[ID]
    return replace(
        current,
        denominator=form("orders_ended"),
        breakdowns=(),
        version=current.version + 1,
        status=Status.PROPOSED,
        change="Would count orders transferred out of the area again.",
    )


def propose(patch: pytest.MonkeyPatch) -> None:
    """Put it into the catalogue, unless it is there."""
    if any(each.status is Status.PROPOSED for each in catalogue.DEFINITIONS):
        return
    patch.setattr(catalogue, "DEFINITIONS", (*catalogue.DEFINITIONS, proposal()))
