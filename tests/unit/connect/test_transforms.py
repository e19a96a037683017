"""Cells to values."""

from datetime import date, datetime, time, timedelta

import pytest

from contracts.codes import Attendance, CourtType, Sex
from services.connect.extracts.cells import Scalar
from services.connect.faults import Unread
from services.connect.mapping.transforms import (
    age,
    authority_in,
    born_in,
    code_in,
    date_in,
    keyed_reference,
    label_in,
    moment_in,
    month_in,
    safe_reference,
    truth_in,
    whole_in,
)

DAY = date(2025, 3, 4)


@pytest.mark.parametrize(
    "cell",
    [
        "04/03/2025", "4/3/25", "4-3-2025", "04.03.2025", "2025-03-04", "20250304", "4 March 2025", "4 Mar 25", "04-Mar-2025",
        "Tue 4 March 2025", "Tuesday, 4th March 2025", "March 4, 2025", "04/03/2025 10:30", "2025-03-04T10:30:00Z", "45720",
        45720, 45720.4375, 20250304, DAY, datetime(2025, 3, 4, 23, 59),  # noqa: DTZ001
    ],
    ids=str,
)  # fmt: skip
def test_a_date_however_it_is_written(cell: Scalar) -> None:
    assert date_in(cell) == DAY


def test_serial_numbers_of_the_other_epoch() -> None:
    assert date_in(44258, epoch=1904) == DAY
    assert date_in("44258", epoch=1904) == DAY


@pytest.mark.parametrize(
    "cell", ["31/02/2025", "soon", "4", 0, -5, 1e9, True, time(3), "13/14/2025", "March 2025", "12:30"]
)
def test_what_is_no_date(cell: Scalar) -> None:
    with pytest.raises(Unread, match="not a date"):
        date_in(cell)


def test_a_date_in_american_order_is_suspected() -> None:
    with pytest.raises(Unread, match="unless it is written as month/day/year"):
        date_in("03/25/2025")
    assert date_in("03/25/2025", "mdy") == date(2025, 3, 25)


def test_two_figures_for_the_year_of_birth() -> None:
    on = date(2026, 3, 1)
    assert born_in("05/06/61", "dmy", 1900, on) == date(1961, 6, 5)
    assert born_in("05/06/05", "dmy", 1900, on) == date(2005, 6, 5)


def test_age_changes_on_the_birthday() -> None:
    assert age(date(2000, 3, 4), date(2026, 3, 3)) == 25
    assert age(date(2000, 3, 4), date(2026, 3, 4)) == 26
    assert age(date(2004, 2, 29), date(2025, 2, 28)) == 20
    assert age(date(2004, 2, 29), date(2025, 3, 1)) == 21


@pytest.mark.parametrize(
    ("cell", "times", "minutes"),
    [(2, 60, 120), ("2.5", 60, 150), ("2:30", 60, 150), ("7 hrs", 60, 420), (time(2, 30), 60, 150), ("1,200", 1, 1200),
     (timedelta(hours=3), 60, 180), ("-30", 1, -30), (1.1, 60, 66)],
)  # fmt: skip
def test_numbers(cell: Scalar, times: float, minutes: int) -> None:
    assert whole_in(cell, times) == minutes


@pytest.mark.parametrize("cell", ["two", "1.01", True, "", DAY])
def test_what_is_no_whole_number(cell: Scalar) -> None:
    with pytest.raises(Unread):
        whole_in(cell)


def test_codes_by_code_label_usual_word_and_own_word() -> None:
    read = code_in(CourtType, {"Lerwick Sheriff": "sheriff_summary"})
    assert {read(cell) for cell in ("sheriff_summary", "Sheriff summary", "lerwick  SHERIFF")} == {
        CourtType.SHERIFF_SUMMARY
    }
    assert code_in(Sex, {})("m") is Sex.MALE
    assert code_in(Attendance, {"1": "attended"})(1.0) is Attendance.ATTENDED


def test_a_word_that_is_not_known_and_what_it_may_mean() -> None:
    read = code_in(CourtType, {"Lerwick Sheriff": "sheriff_summary", "Lerwick JP": "justice_of_the_peace"})
    with pytest.raises(Unread) as fault:
        read("Lerwik")
    assert str(fault.value) == (
        "'Lerwik' is not known; did you mean 'Lerwick Sheriff' (sheriff_summary) or 'Lerwick JP' (justice_of_the_peace)?"
    )
    with pytest.raises(Unread, match=r"^'qqq' is not known$"):
        read("qqq")


def test_a_court_that_could_be_either_is_not_guessed() -> None:
    with pytest.raises(Unread):
        code_in(CourtType, {})("Sheriff Court")


def test_a_mapping_to_no_code_is_refused() -> None:
    with pytest.raises(Unread, match="'lerwick' is mapped to 'sherif', which is not a code"):
        code_in(CourtType, {"Lerwick": "sherif"})


def test_authorities_by_name() -> None:
    assert authority_in("Orkney Islands Council", {}) == "S12000023"
    assert authority_in("Glasgow", {}) == "S12000049"
    assert authority_in("S12000046", {}) == "S12000046"
    with pytest.raises(Unread, match="did you mean 'Falkirk'"):
        authority_in("Falkrik", {})


def test_references_stay_apart() -> None:
    assert safe_reference("CPO/2025/0001") == "CPO/2025/0001"
    assert safe_reference(" SH 25/0141 ") == "SH-25/0141"
    made = [safe_reference(text) for text in ("A#1", "A&1", "-", "x" * 41, "x" * 42, "å")]
    assert len(set(made)) == len(made)
    assert all(len(one) <= 40 and one != "-" for one in made)


def test_a_reference_that_tells_of_the_person_does_not_any_more() -> None:
    made = keyed_reference(b"0123456789abcdef", "Smith J 05/06/1980")
    assert len(made) == 40
    assert "Smith" not in made
    assert made == keyed_reference(b"0123456789abcdef", "Smith J 05/06/1980")


def test_yes_and_no() -> None:
    assert [truth_in(cell, {"Ja": "yes"}) for cell in ("Yes", "n", True, 0, "Ja")] == [True, False, True, False, True]
    with pytest.raises(Unread, match="neither yes nor no"):
        truth_in("maybe", {})


def test_months_moments_and_labels() -> None:
    assert {
        month_in(cell, "dmy", 1900) for cell in ("2026-03", "March 2026", "Mar-26", "15/03/2026", date(2026, 3, 1))
    } == {"2026-03"}
    assert moment_in("04/03/2025 14:30", "dmy", 1900) == datetime(2025, 3, 4, 14, 30)  # noqa: DTZ001
    assert moment_in("04/03/2025 2:30 pm", "dmy", 1900) == datetime(2025, 3, 4, 14, 30)  # noqa: DTZ001
    assert moment_in(45720.5, "dmy", 1900) == datetime(2025, 3, 4, 12)  # noqa: DTZ001
    assert label_in("LS/CMI (v. 2)") == "LS/CMI v. 2"
