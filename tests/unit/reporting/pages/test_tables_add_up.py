"""Tables say what they leave out, and every amount has its unit."""

import pytest

from services.reporting.disclosure.gate import Row
from services.reporting.pages.content.changes import measured
from services.reporting.pages.content.sections.breakdowns import without_reason


def rows(*numbers: int | None, of: int = 1360) -> list[Row]:
    return [Row("S92000003", "2025-26", "", each, of, None, None, None, suppressed=each is None) for each in numbers]


def test_late_ones_without_a_reason_are_the_rest() -> None:
    assert without_reason(rows(900, 260)) == (200, 1360)


@pytest.mark.parametrize("numbers", [(1000, 360), (1000, 365), (1000, None), ()])
def test_there_is_no_rest_where_all_are_told_or_one_is_hidden(numbers: tuple[int | None, ...]) -> None:
    """Rounded parts may add up to more than the whole."""
    assert without_reason(rows(*numbers)) is None


@pytest.mark.parametrize(
    ("measure", "said"),
    [("unpaid_work_minutes_imposed", "Unpaid work imposed, in minutes"), ("orders_imposed", "Orders imposed")],
)
def test_amounts_have_their_unit(measure: str, said: str) -> None:
    assert measured(measure) == said
