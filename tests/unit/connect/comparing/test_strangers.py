"""Mistyped references are told with what they were meant for."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.connect.comparing.strangers import Known

REFERENCES = st.from_regex(r"[A-Z]{2,4}[-/][0-9]{2}/[1-9][0-9]{3}", fullmatch=True)


@given(REFERENCES, st.data())
def test_a_slip_leads_back_to_the_reference(reference: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(reference) - 2))
    slips = [
        reference.lower(),
        reference.replace("/", "-"),
        reference[:at] + reference[at + 1 :],
        reference[:at] + reference[at + 1] + reference[at] + reference[at + 2 :],
        f"{reference[:at]}7{reference[at:]}",
        f"{reference[:at]}7{reference[at + 1 :]}",
    ]
    slip = data.draw(st.sampled_from(slips))
    assume(slip != reference)
    assert Known([reference]).hint(slip) == f"; did you mean '{reference}'?"


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("cpo 26 12", "; did you mean 'CPO/26/0012'?"),
        ("CP0/26/OO12", "; did you mean 'CPO/26/0012'?"),
        ("CPO/26/0021", "; did you mean 'CPO/26/0012'?"),
        ("CPO/26/19", ""),
        ("INV-9", ""),
    ],
)
def test_the_nearest_is_named_and_nothing_where_too_many_are_near(slip: str, meant: str) -> None:
    known = Known([f"CPO/26/{number:04}" for number in (11, 12, 13, 14, 15, 16)])
    assert known.hint(slip) == meant
