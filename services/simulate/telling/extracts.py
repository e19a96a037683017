"""The extracts that the simulated authorities' own systems export each night: full tables in plain words, and what they mean.

An extract holds what had reached the authority's system by the end of the day, as it then was. It has no heartbeats and monthly totals, and
no row for an order withdrawn as a whole.
"""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from contracts.authorities import AUTHORITIES
from contracts.codes import Code
from contracts.decoding.codec import Event
from contracts.decoding.validation import judge
from contracts.events import (
    WHOLE_ORDER,
    AssessmentCompleted,
    BreachDecided,
    BreachLodged,
    Fact,
    FactWithdrawn,
    HoursAdjusted,
    OrderImposed,
    OutcomeMeasured,
    RequirementVaried,
    ReviewHeld,
    SessionRecorded,
    TransferAnswered,
    TransferRequested,
    UnpaidWork,
)
from contracts.topics import authority_of, kind_of_topic
from services.simulate.telling.sending import Delivery
from services.simulate.telling.untidy import DAY, SECOND

MAPPING = Path(__file__).with_name("extracts.yaml")
"""The mapping of the tables, for `payback connect`."""

_ONCE: dict[str, tuple[tuple[str, str], ...]] = {
    "received": (("Received", "received_on"),),
    "officer": (("Officer nominated", "nominated_on"), ("Why officer late", "late_reason")),
    "first_contact": (("First contact", "made_on"), ("Why contact late", "late_reason")),
    "case_meeting": (("Case meeting", "held_on"), ("Why meeting late", "late_reason")),
    "plan": (("Plan agreed", "agreed_on"), ("Why plan late", "late_reason")),
    "induction": (("Induction", "held_on"), ("Why induction late", "late_reason")),
    "placement": (
        ("Placement started", "started_on"),
        ("Placement setting", "setting"),
        ("Placement work", "work_type"),
        ("Why placement late", "late_reason"),
    ),
    "work_completed": (("Work completed", "completed_on"), ("Why work late", "late_reason")),
    "ended": (("Ended", "ended_on"), ("Why ended", "reason")),
    "exit_questionnaire": (
        ("Questionnaire", "returned_on"),
        ("Helped", "helped"),
        ("Respect", "treated_with_respect"),
        ("Less likely", "less_likely_to_offend"),
    ),
    "transferred_in": (("Came on", "received_on"), ("Came from", "from_"), ("Its reference there", "from_subject")),
}
"""Facts of which an order has one, by their keys, as columns of the table of orders."""
_IMPOSED = (
    ("Person", "person_ref"),
    ("Sex", "sex"),
    ("Age", "age_at_imposition"),
    ("Ethnic group", "ethnicity"),
    ("Employment", "employment"),
    ("Court", "court_type"),
    ("Date of order", "imposed_on"),
    ("Fine default", "fine_default"),
    ("Outside Scotland", "outside_jurisdiction"),
    ("Court review", "progress_review_ordered"),
)
_LENGTHS = (
    "unpaid_work", "supervision", "compensation", "programme", "residence", "mental_health_treatment", "drug_treatment",
    "alcohol_treatment", "conduct", "restricted_movement",
)  # fmt: skip
_LISTS: dict[str, tuple[type[Fact], ...]] = {
    "sessions": (SessionRecorded,),
    "adjustments": (HoursAdjusted,),
    "reviews": (ReviewHeld,),
    "assessments": (AssessmentCompleted,),
    "changes": (RequirementVaried,),
    "outcomes": (OutcomeMeasured,),
    "breaches": (BreachLodged, BreachDecided),
    "transfers": (TransferRequested, TransferAnswered),
}
"""Tables with a row for each reference, and the facts that a row holds."""

Row = list[str]


class _Version(NamedTuple):
    order: tuple[datetime, int, str]
    fact: Fact
    caseload: str | None = None


class Exports:
    """Collects what arrives at the authorities, in order, and writes an extract of each at the end of each of the last days."""

    def __init__(self, out: Path, end: date, days: int) -> None:
        self._out, self._first = out, end - timedelta(days=days)
        self._known: defaultdict[str, dict[tuple[str, str], _Version]] = defaultdict(dict)
        self._day: date | None = None
        self._end = end

    def take(self, delivery: Delivery) -> None:
        """Add an event that reached its authority; not for refused ones."""
        self.pass_days(date(1970, 1, 1) + timedelta(days=delivery.arrived // DAY))
        arrived = datetime.fromtimestamp(delivery.arrived / SECOND, UTC)
        event = judge(delivery.value, arrived, kind_of_topic(delivery.topic), authority_of(delivery.topic))
        if isinstance(event, Event) and event.subject != "-":
            self._keep(event)

    def pass_days(self, until: date) -> None:
        """End the day, and all days before it."""
        day = until if self._day is None else self._day
        while day < until:
            if day >= self._first:
                self._write(day)
            day += timedelta(days=1)
        self._day = day

    def finish(self) -> None:
        """Finish: nothing more arrives."""
        if self._day is not None:
            self.pass_days(self._end)

    def _keep(self, event: Event) -> None:
        version = _Version((event.time, event.sequence or 0, event.id), event.data, event.caseload)
        facts = self._known[event.authority]
        at = event.subject, event.data.key
        if at not in facts or facts[at].order < version.order:
            facts[at] = version

    def _write(self, day: date) -> None:
        for code, facts in self._known.items():
            folder = self._out / code
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "extracts.yaml").write_text(mapping_of(code), encoding="utf-8")
            for name, rows in tables(lives(facts), caseloads(facts)).items():
                _write_csv(folder / f"{name} {day}.csv", rows)


Lives = dict[str, dict[str, Fact]]


def mapping_of(authority: str) -> str:
    """Return the mapping of an authority's tables."""
    return f"authority: {authority}\n{MAPPING.read_text(encoding='utf-8')}"


def lives(facts: dict[tuple[str, str], _Version]) -> Lives:
    """Return the facts of each order as they stand, without those that were withdrawn."""
    found: defaultdict[str, dict[str, Fact]] = defaultdict(dict)
    gone = {subject for subject, key in facts if key == WHOLE_ORDER}
    for (subject, key), version in sorted(facts.items()):
        if subject not in gone and not isinstance(version.fact, FactWithdrawn):
            found[subject][key] = version.fact
    return dict(found)


def caseloads(facts: dict[tuple[str, str], _Version]) -> dict[str, str]:
    """Return the team that works with each order, by the latest event that names one."""
    by_time = sorted(facts.items(), key=lambda one: one[1].order)
    return {subject: version.caseload for (subject, _), version in by_time if version.caseload is not None}


def tables(orders: Lives, teams: dict[str, str]) -> dict[str, list[Row]]:
    """Return each table with its headings."""
    rows = [[*row, teams.get(subject, "")] for subject, life in orders.items() for row in _order(subject, life)]
    found = {"orders": [_headings(), *rows]}
    return found | {name: _list(kinds, orders) for name, kinds in _LISTS.items()}


def _headings() -> Row:
    lengths = [name.replace("_", " ").capitalize() for name in _LENGTHS]
    once = [heading for columns in _ONCE.values() for heading, _ in columns]
    return ["Case", *(heading for heading, _ in _IMPOSED), *lengths, "Complete by", *once, "Team"]


def _order(subject: str, life: dict[str, Fact]) -> Iterator[Row]:
    imposed = life.get(OrderImposed.KEY)
    if not isinstance(imposed, OrderImposed):
        return
    demands = {str(one.__struct_config__.tag): one for one in imposed.requirements}
    lengths = [_written(getattr(one, "hours", getattr(one, "months", None))) for one in map(demands.get, _LENGTHS)]
    work = next((one for one in imposed.requirements if isinstance(one, UnpaidWork)), None)
    once = [_member(life.get(key), member) for key, columns in _ONCE.items() for _, member in columns]
    yield [subject, *(_member(imposed, name) for _, name in _IMPOSED), *lengths, _member(work, "complete_by"), *once]


def _list(kinds: tuple[type[Fact], ...], orders: Lives) -> list[Row]:
    columns = [(kind, name) for kind in kinds for name in kind.__struct_fields__ if name != "ref"]
    rows: list[Row] = [
        ["Case", "Number", *(f"{kind.NAME.partition('.')[2]} {name}".replace("_", " ") for kind, name in columns)]
    ]
    for subject, life in orders.items():
        refs = sorted({fact.ref for fact in life.values() if isinstance(fact, kinds)})  # type: ignore[attr-defined]
        for ref in refs:
            found = {kind: life.get(f"{kind.KEY}/{ref}") for kind in kinds}
            rows.append([subject, ref, *(_member(found[kind], name) for kind, name in columns)])
    return rows


def _member(fact: Any, name: str) -> str:
    return "" if fact is None else _written(getattr(fact, name))


def _written(value: Any) -> str:
    return next(
        (write(value) for kind, write in _WRITTEN if isinstance(value, kind)),
        "" if value is None else _named(str(value)),
    )


def _named(text: str) -> str:
    return AUTHORITIES[text].name if text in AUTHORITIES else text


_WRITTEN: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (bool, lambda value: "Y" if value else "N"),
    (Code, lambda value: str(value.label)),
    (date, lambda value: f"{value:%d/%m/%Y}"),
)
"""How people write values: in words, and with the day before the month."""


def _write_csv(path: Path, rows: list[Row]) -> None:
    with path.open("w", encoding="cp1252", newline="") as stream:
        csv.writer(stream, delimiter=";").writerows(rows)
