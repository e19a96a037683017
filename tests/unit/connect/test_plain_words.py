"""Whatever is wrong in a table or a mapping is said in words for people, with its cell."""

import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.client import Result
from contracts.codes import Code
from contracts.events import OrderImposed, Topic
from contracts.rejections import Reason
from services.connect.comparing.compare import Extract, compare
from services.connect.faults import CannotGoOn
from services.connect.home import Home
from services.connect.mapping.forms import bare
from services.connect.mapping.loading import read_mapping
from services.connect.mapping.model import STATABLE, members
from services.connect.moments import micros
from services.connect.result import ImportResult
from services.connect.send import words_of
from services.connect.state import State
from services.connect.work import Job
from tests.support.checking.plain import is_plain
from tests.unit.contracts.test_plain_words import places, with_value, without

CELLS: tuple[Any, ...] = (
    *("", "words", "x" * 700, "Ünï\u0007", "1,500", "2.5", "-3", "99999999", "31/02/2026", "01/02/1890", "2199-01-01"),
    *(7, -7, 10**12, 2.5, 1e300, True, date(1890, 1, 1), datetime(2026, 3, 2, 9), time(9, 1), timedelta(hours=900)),  # noqa: DTZ001
)
CELL = re.compile(r"T(!([A-Z]{1,2}\d+(, )?)+( and \d+ more)?|, row \d+)(; T![A-Z]+\d+)*( and T.*)?: ")


def taken(states: dict[str, Any], headings: list[str], rows: list[list[Any]], folder: Path) -> ImportResult:
    order = {} if "period.closed" in states else {"order": "Order"}
    text = yaml.safe_dump({"authority": "S12000027", "tables": [{"name": "T", **order, "states": states}]})
    job, state = Job(read_mapping(text, "m"), Home(folder), None), State(None)
    at = micros(datetime(2026, 6, 1, tzinfo=UTC))
    extract = Extract(job.mapping.tables[0], "T", iter([["Order", *headings], *rows]), 1900, at)
    return compare(job.setting(state, b"k" * 32), [extract], keep=False)


def stated(name: str) -> dict[str, Any]:
    found: dict[str, Any] = {member: member for member in members(STATABLE[name])}
    if "requirements" in found:
        found["requirements"] = [{"kind": "unpaid_work", "hours": "requirements", "complete_by": "until"}]
    return {name: found}


@pytest.mark.parametrize("name", STATABLE)
def test_every_refused_cell_is_named_in_plain_words(name: str, tmp_path: Path) -> None:
    headings = [*members(STATABLE[name]), *(["until"] if STATABLE[name] is OrderImposed else [])]
    usual = {heading: _usual(name, heading) for heading in headings}
    rows = [["A1", *usual.values()]]
    for heading in headings:
        rows += [[f"B{len(rows)}", *(usual | {heading: cell}).values()] for cell in CELLS]
    result = taken(stated(name), headings, rows, tmp_path)
    lines = [line for line in result.lines(done=False) if line.startswith("T")]
    assert result.said[name, "new"] or any(line.endswith("is stated in more than one way") for line in lines), lines
    assert len(lines) > len(headings) / 2
    assert [line for line in lines if not is_plain(line)] == []
    assert [line for line in lines if not CELL.match(line)] == []
    assert [line for line in lines if len(line) > 400] == []


def _usual(name: str, heading: str) -> Any:
    kind = bare(members(STATABLE[name]).get(heading, date))
    if isinstance(kind, type) and issubclass(kind, Code):
        return {"change": "hours", "kind": "unpaid_work" if name == "requirement.varied" else "court"}.get(
            heading, next(iter(kind))
        )
    if kind is bool:
        return "no"
    if kind is date:
        return date(2026, 3, 2) if heading != "until" else date(2026, 5, 2)
    usual = {
        "to": "Orkney",
        "from": "Orkney",
        "month": "2026-03",
        "hours": 100,
        "requirements": 100,
        "age_at_imposition": 30,
    }
    if (name, heading) == ("requirement.varied", "months") or (name, heading) == ("requirement.varied", "complete_by"):
        return ""
    return usual.get(heading, 3 if kind is int else "r1")


TREE = {
    "authority": "S12000027",
    "dates": "dmy",
    "tables": [
        {
            "sheet": "Orders",
            "order": "Ref",
            "heading_rows": "1",
            "vanished": {"ended": "other"},
            "across": {"day": "Day", "cell": "Mark"},
            "when": {"A": ["b"]},
            "states": {
                "order.received": {"received_on": {"column": "A", "keyed": "no", "times": "1", "codes": {"a": "b"}}},
                "order.imposed": [{"requirements": [{"kind": "unpaid_work", "hours": "H"}]}],
            },
        }
    ],
}


SPOILT: tuple[Any, ...] = ("", "x", "7", "99", [], {}, ["a"], {"a": "b"}, [["a"]], [{"a": {}}])


def test_every_fault_of_a_mapping_is_in_plain_words() -> None:
    said = set[str]()
    for path in places(TREE):
        spoilt = [with_value(TREE, path, one) for one in SPOILT]
        spoilt += [without(TREE, path)] if path and path[-1] != "too_much" else []
        for one in spoilt:
            with pytest.raises(CannotGoOn) as fault:
                read_mapping(yaml.safe_dump(one), "m.yaml")
            said.add(str(fault.value))
    for text in ("tables: [", "a: b: c", "\tx", "authority: 'S", "- {", "&a *b", "%x", "a:\n - b\n  c: d", "\x00"):
        with pytest.raises(CannotGoOn) as fault:
            read_mapping(text, "m.yaml")
        said.add(str(fault.value))
    assert len(said) > 30
    assert [one for one in said if not is_plain(one) or not one.startswith("m.yaml")] == []


@pytest.mark.parametrize("reason", Reason)
def test_what_the_platform_refuses_is_told_without_paths_and_reasons(reason: Reason) -> None:
    path, message = "$.data.requirements[0].hours", "expected 20 to 300"
    told = words_of(Result(1, Topic.ORDERS, "e", reason=str(reason), path=path, message=message, remedy=reason.remedy))
    assert is_plain(told)
    assert "hours of requirement 1: expected 20 to 300" in told
    assert "$" not in told
