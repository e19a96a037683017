"""Cells to values."""

import re
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.codes import Attendance, CourtType, Sex
from services.connect.extracts.cells import Scalar
from services.connect.faults import Unread
from services.connect.mapping.numbers import unit_of, written
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


@pytest.mark.parametrize(
    ("cell", "minutes"),
    [("0,5", 30), ("1,0", 60), ("3,25", 195), ("7,0 h", 420), ("1.5h", 90), ("90 mins", 90), ("90m", 90), ("1:30", 90),
     ("9 mins", 9), ("1h30", 90), ("1 hr 30 mins", 90), ("1\u00a0000", 60_000), ("1 000", 60_000), ("1'000", 60_000),
     ("1'000,5 hrs", 60_030), ("-1,5", -90), ("\u22121.5", -90), ("1.234,5", 74_070), ("1,234.5", 74_070),
     ("1,234,500", 74_070_000), ("1.5 hrs.", 90), (".5", 30), (timedelta(hours=3), 180)],
)  # fmt: skip
def test_hours_however_they_are_written_as_minutes(cell: Scalar, minutes: int) -> None:
    assert whole_in(cell, 60, "minutes") == minutes


@pytest.mark.parametrize(
    "cell",
    [
        "50%",
        "1,2,3",
        "1.2.3",
        "12 34",
        "1,23,456",
        "1'23",
        "1,234 567",
        "5,",
        ",5",
        "3 to 4",
        "3-4",
        "12 months",
        "2 yrs",
        "two",
    ],
)
def test_what_is_no_number_of_minutes(cell: str) -> None:
    with pytest.raises(Unread, match=re.escape(f"'{cell}' is ")):
        whole_in(cell, 60, "minutes")


def test_a_unit_in_the_cell_counts_before_that_of_the_column() -> None:
    assert whole_in("1.5h", 1, "minutes") == 90
    assert whole_in("90 mins", 60, "minutes") == 90
    assert whole_in("120 mins", 1, "hours") == 2
    assert whole_in(time(2, 30), 1, "minutes") == 150
    assert [whole_in(cell, 1, "months") for cell in ("12m", "12 mths", "1 year", "2 yrs")] == [12, 12, 12, 24]


@pytest.mark.parametrize(
    ("cell", "member"),
    [("12 hrs", "months"), ("2:00", "months"), ("6 months", "hours"), ("1 year", "minutes_credited"),
     ("30 mins", "age_at_imposition"), ("5 hours", "orders")],
)  # fmt: skip
def test_a_unit_that_contradicts_the_member_is_refused_with_the_cell(cell: str, member: str) -> None:
    with pytest.raises(Unread, match=f"^'{cell}' is not a number"):
        whole_in(cell, 60, unit_of(member))


@pytest.mark.parametrize("cell", ["1,500", "1.500", "6.000 hrs", "-2,250"])
def test_a_number_that_may_be_either_of_two_is_asked_about(cell: str) -> None:
    with pytest.raises(
        Unread, match=re.escape(f"'{cell}' may be ") + ".* or .*: give `decimal: comma` or `decimal: point`"
    ):
        whole_in(cell, 60, "minutes")


def test_the_mapping_says_which_mark_stands_before_decimals() -> None:
    assert [whole_in(cell, 60, "minutes", ",") for cell in ("1,500", "1.500")] == [90, 90_000]
    assert [whole_in(cell, 60, "minutes", ".") for cell in ("1,500", "1.500")] == [90_000, 90]


def test_thousands_that_could_be_no_whole_number_else_are_thousands() -> None:
    """In a column of whole hours, 1.2 could not be sent."""
    assert whole_in("1,200", 1, "hours") == 1200


@given(
    st.integers(0, 9_999_999),
    st.integers(0, 3),
    st.sampled_from(["", ",", ".", " ", "'", "\u00a0"]),
    st.sampled_from(".,"),
)
def test_every_way_to_write_a_number_is_read_or_refused(number: int, places: int, between: str, mark: str) -> None:
    """A number is read as it is meant, or refused if another could be meant by the same signs; never read as the other."""
    whole, rest = divmod(number, 10**places)
    grouped = f"{whole:,}".replace(",", between)
    text = grouped + (f"{mark}{rest:0{places}}" if places else "")
    meant = number / 10**places
    if between == mark and places:
        return
    found = written(text)
    assert any(abs(one - meant) < 1e-9 for one in found.readings)
    if len(found.readings) > 1:
        assert re.fullmatch(r"[1-9]\d{0,2}[.,]\d{3}", text)
        own = mark if places else {",": ".", ".": ","}[between]
        assert whole_in(text, 1000, mark=own) == round(meant * 1000)
        with pytest.raises(Unread, match="may be"):
            whole_in(text, 1000)


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
        "'Lerwik' is not known; did you mean 'Lerwick Sheriff' (Sheriff summary) or 'Lerwick JP' (Justice of the peace)?"
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
