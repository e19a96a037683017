"""Statements about completeness on pages do not contradict each other."""

import pytest

from contracts.cells import BOTH, Service
from services.reporting.figures.evidence import DOUBTS, Doubt
from services.reporting.figures.quality import Completeness, State
from services.reporting.pages.content import words

ORDERS: frozenset[Service] = frozenset({"orders"})


def judged(code: str, state: State, *doubts: Doubt) -> Completeness:
    return Completeness(code, state, None, None, fresh=True, doubts=doubts)


def test_several_are_counted_and_it_is_said_by_which_reports() -> None:
    found = [judged("S12000033", State.COMPLETE), judged("S12000034", State.PARTIAL, Doubt.NOT_SINCE)]
    of_both, of_orders = (words.completeness_of(found, each) for each in (BOTH, ORDERS))
    assert of_both.startswith("1 of 2 authorities complete, 1 may lack something.")
    assert of_both.endswith("Reports about orders and unpaid work are judged.")
    assert of_orders.endswith("Reports about orders are judged.")


@pytest.mark.parametrize(("state", "said"), [(State.COMPLETE, "Complete."), (State.MISSING, "Not reported.")])
def test_of_one_its_own_is_told(state: State, said: str) -> None:
    assert words.completeness_of([judged("S12000033", state)], BOTH).startswith(said)


def test_of_one_it_is_said_why() -> None:
    told = words.completeness_of([judged("S12000033", State.PARTIAL, Doubt.NOT_SINCE)], BOTH)
    assert told.startswith(f"May lack something: {DOUBTS[Doubt.NOT_SINCE]}.")
    assert "authorities" not in told


def test_nothing_more_is_not_said_to_come_where_something_may_lack() -> None:
    assert words.to_come([]).startswith("Nothing more")
    assert "Nothing more" not in words.to_come([], doubtful=True)
