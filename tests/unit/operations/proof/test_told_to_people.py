"""The output of the proof can be read by somebody who was woken by it."""

from datetime import date

from services.operations.proof.mismatch import Mismatch
from services.operations.proof.shown import Latest, Value


def test_figures_are_told_without_the_names_of_our_types() -> None:
    cell = Mismatch("reporting.cells", "orders: sessions|S12000005|2026-11-01|", Value(2, 8), None)
    assert (
        str(cell) == "reporting.cells: orders: sessions|S12000005|2026-11-01| is 8 (version 2), and must be not there"
    )
    shown = (Latest(date(2026, 11, 27), 2, 8), Latest(date(2026, 11, 27), 2, 7))
    assert str(Mismatch("reporting.present", "a", *shown)) == (
        "reporting.present: a is 8 as known on 2026-11-27 (version 2), and must be 7 as known on 2026-11-27 (version 2)"
    )
