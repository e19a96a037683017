"""Reported facts are shown in words, whatever the fact: never as a code, a bare date or the way a program writes it."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contracts.decoding.envelope import TYPE_PREFIX
from contracts.events import TYPES
from services.desk.model.orders import Fact
from services.desk.words.facts import content_of
from tests.support.source import ROOT

EXAMPLES = sorted((ROOT / "contracts" / "examples" / "valid").glob("*.json"))
FREE = {"Ref", "Fact", "Person ref", "Tool", "Rule version", "From subject", "Month"}
"""Fields whose text is the authority's own."""
RAW = re.compile(r"[\[\]{}'_]|True|False|None|\d{4}-\d\d-\d\d|S\d{8}")


def fact(key: str, **data: Any) -> Fact:
    return Fact(key, "1", datetime(2026, 1, 1, tzinfo=UTC), False, data)


def said(key: str, **data: Any) -> dict[str, str]:
    return {one.name: one.value for one in content_of(fact(key, **data))}


def test_an_imposition_reads_as_people_would_say_it() -> None:
    asked = [
        {"kind": "unpaid_work", "hours": 80, "complete_by": "2027-03-01"},
        {"kind": "supervision", "months": 12},
        {"kind": "programme", "months": 1},
    ]
    assert said("imposed", imposed_on="2026-07-01", sex="male", fine_default=False, requirements=asked) == {
        "Imposed on": "1 July 2026",
        "Sex": "Male",
        "Fine default": "no",
        "Requirements": "unpaid work 80 hours, to be completed by 1 March 2027; supervision 12 months; programme 1 month",
    }


def test_other_fields_are_in_words_too() -> None:
    assert said("transfer/t1", ref="t1", to="S12000023") == {"Ref": "t1", "To": "Orkney Islands"}
    assert said("contact_made/none", accepted=True, late_reason=None) == {"Accepted": "yes", "Late reason": "not given"}
    assert said("first_contact", late_reason="ill") == {"Late reason": "Ill health"}
    assert content_of(Fact("plan", "1", datetime(2026, 1, 1, tzinfo=UTC), True, None)) == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: Path(path).stem)
def test_no_fact_of_the_contract_is_shown_raw(example: Path) -> None:
    event = msgspec.json.decode(example.read_bytes())
    key = TYPES[event["type"].removeprefix(TYPE_PREFIX)].KEY
    shown = said(key, **event["data"])
    assert len(shown) == len(event["data"])
    assert not [name for name, value in shown.items() if name not in FREE and RAW.search(value)], shown
