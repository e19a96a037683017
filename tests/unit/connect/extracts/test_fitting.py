"""Which tables of a mapping a sheet holds: a name says so, and where none does, the headings do."""

import pytest

from services.connect.extracts.fitting import Place, Sought, fitting

REGISTER = Sought(None, ("CPO register",), ("Ref", "Court"))
SQUAD = Sought(None, ("Squad*",), ("Ref", "Day", "Hours"))
ANY = Sought(None, (), ("Ref", "Seen"))
CAFE = Sought("cafe*.csv", (), ("Ref", "Date"))


@pytest.mark.parametrize(
    ("tables", "shares", "place", "found"),
    [
        ([REGISTER, SQUAD], [0.5, 0.7], Place("b.xlsx", ("Squad May",), False, False), [1]),
        ([REGISTER, SQUAD], [0.0, 0.0], Place("b.xlsx", ("CPO register",), False), [0]),
        ([REGISTER, SQUAD], [1.0, 1.0], Place("b.xlsx", ("Notes",), False), []),
        ([REGISTER, SQUAD], [0.4, 0.3], Place("cafe.csv", ("cafe.csv",), True), []),
        ([REGISTER, SQUAD], [1.0, 0.6], Place("r.csv", ("r.csv",), True), [0]),
        ([REGISTER, SQUAD], [0.5, 0.7], Place("r.csv", ("r.csv",), True), [1]),
        ([REGISTER, SQUAD], [1.0, 1.0], Place("r.csv", ("r.csv",), True), [0, 1]),
        ([ANY], [0.5], Place("any.csv", ("any.csv",), True), [0]),
        ([ANY], [0.0], Place("any.csv", ("any.csv",), True), []),
        ([ANY], [1.0], Place("b.xlsx", ("First",), False), [0]),
        ([ANY], [1.0], Place("b.xlsx", ("Second",), False, False), []),
        ([ANY, CAFE], [0.5, 0.0], Place("cafe 2.csv", ("cafe 2.csv",), True), [1]),
        ([ANY, CAFE], [1.0, 0.0], Place("cafe 2.csv", ("cafe 2.csv",), True), [0, 1]),
        ([ANY, CAFE], [0.5, 1.0], Place("other.csv", ("other.csv",), True), [0]),
        ([CAFE], [1.0], Place("coffee.csv", ("coffee.csv",), True), []),
    ],
)
def test_a_sheet_holds(tables: list[Sought], shares: list[float], place: Place, found: list[int]) -> None:
    assert fitting(tables, place, lambda number: shares[number]) == found
