"""The list of authorities: what an operator's file may add, how it is told what is wrong, and that every part follows it."""

import json
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.authorities import AUTHORITIES, HEALTH_BOARDS
from contracts.listing.reading import Authority, ListError, read_list
from contracts.periods import days_of, last_day, month_of, quarter_of, year_of

SHIPPED = Path("contracts/listing/authorities.toml").read_text(encoding="utf-8")
STIRLING, DUNDEE, CLACKMANNAN, NEW = "S12000030", "S12000042", "S12000005", "S12000051"
MERGER = """
    [[authority]]
    code = "S12000051"
    name = "Forth Valley"
    health_board = "S08000019"
    population_thousands = 145
    first_day = 2027-04-01

    [[authority]]
    code = "S12000005"
    last_day = 2027-03-31
    successor = "S12000051"

    [[authority]]
    code = "S12000030"
    last_day = 2027-03-31
    successor = "S12000051"

    [[authority]]
    code = "S12000042"
    renamed = [{on = 2026-04-01, name = "City of Dundee"}, {on = 2028-04-01, name = "Dundee"}]
    also_known_as = []
"""
DAYS = st.dates(date(2011, 1, 1), date(2040, 1, 1))


def test_what_an_operator_adds_stands_beside_what_is_shipped() -> None:
    found = read_list(SHIPPED, dedent(MERGER))
    assert [*found.authorities] == sorted([*AUTHORITIES, NEW])
    assert found.authorities[STIRLING].population_thousands == AUTHORITIES[STIRLING].population_thousands
    assert found.health_boards["S08000019"].members == (CLACKMANNAN, "S12000014", STIRLING, NEW)
    assert read_list(SHIPPED, "").authorities == AUTHORITIES


@pytest.mark.parametrize(
    ("own", "fault"),
    [
        ("[[authority]", "it is not TOML"),
        ('[[authorities]]\ncode = "S12000051"', "authorities: not known; there are health_board and authority"),
        ('[authority]\ncode = "S12000051"', "authority: write [[authority]] above each"),
        ('[[authority]]\nname = "Stirling"', "authority: write [[authority]] above each, with its code"),
        ('[[authority]]\ncode = "S12000005"\n' * 2, "S12000005: listed more than once"),
        ('[[authority]]\ncode = "S12000051"\nname = "New"', "S12000051: Object missing required field"),
        ('[[authority]]\ncode = "S12000005"\nnmae = "New"', "S12000005: Object contains unknown field `nmae`"),
        ('[[authority]]\ncode = "S12000005"\nlast_day = "soon"', "S12000005: Invalid RFC3339"),
        ('[[authority]]\ncode = "S12000005"\nhealth_board = "S08"', "health_board S08 is not in the list"),
        ('[[authority]]\ncode = "S12000005"\nsuccessor = "S12000030"', "successor needs last_day"),
        (
            '[[authority]]\ncode = "S12000005"\nlast_day = 2027-03-31\nsuccessor = "S12000099"',
            "successor S12000099 is not in the list",
        ),
        (
            dedent(MERGER).replace("first_day = 2027-04-01", "first_day = 2027-05-01"),
            "S12000030: successor S12000051 is not an authority on 2027-04-01",
        ),
        (
            '[[authority]]\ncode = "S12000005"\nfirst_day = 2027-04-01\nlast_day = 2027-03-31',
            "last_day is before first_day",
        ),
        (
            '[[authority]]\ncode = "S12000005"\nrenamed = [{on = 2027-04-01, name = "Bb"}, {on = 2026-04-01, name = "Aa"}]',
            "renamed must be in the order of days",
        ),
        (
            '[[authority]]\ncode = "S12000005"\nlast_day = 2027-03-31\nrenamed = [{on = 2027-04-01, name = "Bb"}]',
            "each day must lie between first_day and last_day",
        ),
        ('[[authority]]\ncode = "S12000005"\nalso_known_as = ["stirling"]', "S12000030: has a name of S12000005"),
        ('[[authority]]\ncode = "S12000005"\nretired_code = "S12000030"', "S12000030 is an authority of the list"),
        ('[[authority]]\ncode = "S12000005"\nretired_code = "S12000046"', "S12000046: retired_code of more than one"),
    ],
)
def test_what_is_wrong_is_told_with_the_file_and_the_code(own: str, fault: str) -> None:
    with pytest.raises(ListError) as told:
        read_list(SHIPPED, own, "own.toml")
    assert str(told.value).startswith("own.toml cannot be used:")
    assert fault in str(told.value)


def test_all_faults_are_told_at_once() -> None:
    own = '[[authority]]\ncode = "S12000005"\nhealth_board = "x"\nsuccessor = "S12000030"\n'
    with pytest.raises(ListError) as told:
        read_list(SHIPPED, own)
    assert len(str(told.value).splitlines()) == 3


@given(days=st.lists(DAYS, unique=True, max_size=5), day=DAYS)
def test_a_name_holds_from_its_day_to_the_next(days: list[date], day: date) -> None:
    names = [{"on": on, "name": f"{on}"} for on in sorted(days)]
    own = "\n".join(f'  {{on = {each["on"]}, name = "{each["name"]}"}},' for each in names)
    one = read_list(SHIPPED, f'[[authority]]\ncode = "{DUNDEE}"\nrenamed = [\n{own}\n]').authorities[DUNDEE]
    assert one.name_on(day) == max((f"{on}" for on in days if on <= day), default="Dundee City")


@given(first=st.none() | DAYS, last=st.none() | DAYS, span=st.tuples(DAYS, DAYS).map(sorted))
def test_an_authority_is_in_force_on_a_span_if_on_any_of_its_days(
    first: date | None, last: date | None, span: list[date]
) -> None:
    one = Authority(code=NEW, first_name="New", health_board="", population_thousands=1, first_day=first, last_day=last)
    latest_first, earliest_last = max(first or date.min, span[0]), min(last or date.max, span[1])
    if (first or date.min) <= (last or date.max):
        assert one.is_in_force(*span) == (latest_first <= earliest_last)


@given(day=st.dates(date(2012, 4, 1), date(2090, 1, 1)))
def test_labels_of_periods_tell_their_days(day: date) -> None:
    month = month_of(day)
    assert days_of(f"{month:%Y-%m}") == (month, last_day(month))
    for label in (quarter_of(month), year_of(month), f"{month:%Y-%m}/{month:%Y-%m}"):
        first, last = days_of(label)
        assert first <= day <= last
        assert first.day == 1
        assert last == last_day(last)


FOLLOWED = """
import json
from datetime import UTC, date, datetime
from contracts.authorities import AUTHORITIES, current_code, in_force, sending
from contracts.decoding.codec import decode
from contracts.events import Topic
from contracts.rejections import Rejection
from contracts.topics import source_topics
from deploy.kafka import strimzi
from services.chassis.settings import Settings
from services.reporting.registry.areas import members, name_in
from services.reporting.registry.population import aged_16_to_70

def told(code, time):
    event = {"specversion": "1.0", "id": "1", "source": f"/authorities/{code}", "type": "scot.payback.heartbeat.v1",
        "subject": "-", "time": time, "data": {}}
    found = decode(json.dumps(event).encode(), Topic.ORDERS, code, datetime(2027, 4, 20, tzinfo=UTC))
    return [found.reason, found.path] if isinstance(found, Rejection) else []

made = strimzi.documents()
print(json.dumps({
    "topics": len(source_topics(*Topic)),
    "made": ["orders.events.s12000051" in made["topics.yaml"], "authority-s12000051" in made["users.yaml"]],
    "board": members("S08000019"),
    "before": len(in_force(date(2027, 3, 31))), "after": len(in_force(date(2027, 4, 1))),
    "late": [len(sending(date(2027, 5, 1))), len(sending(date(2027, 5, 2)))],
    "names": [name_in("S12000042", each) for each in ("2025-26", "2026-Q2", "2028-04")],
    "people": [aged_16_to_70("S08000019", each) for each in ("2026-27", "2027-28")],
    "far": [told("S12000051", time) for time in ("9999-12-31T23:30:00-05:00", "0001-01-01T00:00:00+05:00")],
    "told": [told(code, time) for code in ("S12000030", "S12000051") for time in ("2027-03-31T22:59:59Z", "2027-03-31T23:00:00Z")],
    "settings": str(Settings.load().authorities.path),
}))
"""


def followed(path: Path, words: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": os.environ["PATH"], "PAYBACK_AUTHORITIES_PATH": str(path)}
    return subprocess.run(
        [sys.executable, "-c", words], env=environment, check=False, capture_output=True, text=True, cwd=Path.cwd()
    )


def test_every_part_follows_the_operators_list(tmp_path: Path) -> None:
    """At midnight in London the old ones may state nothing new and the new one may begin; numbers, names and people go by the period."""
    path = tmp_path / "own.toml"
    path.write_text(dedent(MERGER))
    ended = followed(path, FOLLOWED)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    refused = ["wrong_authority", "$.time"]
    assert found["told"] == [[], refused, refused, []]
    people = found.pop("people")
    assert [reason for reason, _ in found.pop("far")] == ["out_of_range", "out_of_range"]
    assert people[0] == pytest.approx(people[1], abs=200), "nobody counts twice"
    assert found | {"told": []} == {
        "topics": 2 * (len(AUTHORITIES) + 1),
        "made": [True, True],
        "board": [*sorted([*HEALTH_BOARDS["S08000019"].members, NEW])],
        "before": 32,
        "after": 31,
        "late": [33, 31],
        "names": ["Dundee City", "City of Dundee", "Dundee"],
        "settings": str(path),
        "told": [],
    }


RUN = "import runpy, sys; sys.argv[1:] = ['worker']; runpy.run_module('services.{}', run_name='__main__')"
PROCESSES = (
    "import sys; from services.cli import main; sys.argv[1:] = ['topics']; main()",
    *(RUN.format(service) for service in ("orders", "unpaid_work", "reporting")),
)


@pytest.mark.parametrize("words", PROCESSES)
def test_a_process_with_a_list_that_cannot_be_used_says_why(tmp_path: Path, words: str) -> None:
    path = tmp_path / "own.toml"
    ended = followed(path, words)
    assert (ended.returncode, ended.stderr) == (2, f"PAYBACK_AUTHORITIES_PATH: {path} cannot be read\n")


def test_the_runbooks_example_can_be_used() -> None:
    page = Path("deploy/runbooks/authorities-change.md").read_text(encoding="utf-8")
    example = "\n".join(re.findall(r"(?m)^ {7}(\[\[authority\]\]|\w+ = .+)$", page))
    found = read_list(SHIPPED, example).authorities
    assert {code: one.successor for code, one in found.items() if one.last_day} == {CLACKMANNAN: NEW, STIRLING: NEW}
