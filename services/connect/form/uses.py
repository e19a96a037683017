"""Lists what a column may be taken for: the order, who works with it, and each member of each event, in plain words. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from contracts.authorities import AUTHORITIES
from contracts.codes import Code, RequirementKind
from contracts.events import AuthorityCode, Fact, Month, OrderRef, PersonRef, Ref
from services.connect.extracts.cells import plain
from services.connect.form.model import Option
from services.connect.form.tables import Node, Path, Table, beginning_small, heading_of, is_list_of_forms
from services.connect.mapping.forms import bare, optional
from services.connect.mapping.model import STATABLE, members, value_of
from services.connect.mapping.model import Mapping as Meaning
from services.connect.mapping.seen import DURATION, IDENTIFIER, Seen

GROUPS = {
    "order.imposed": "The order",
    "order.received": "Received from the court",
    "officer.nominated": "Officer nominated",
    "contact.made": "First contact",
    "case-meeting.held": "Case management meeting",
    "plan.agreed": "Case management plan",
    "induction.held": "Induction",
    "placement.started": "Placement",
    "session.recorded": "Session",
    "hours.adjusted": "Hours corrected",
    "work.completed": "Unpaid work completed",
    "assessment.completed": "Assessment",
    "review.held": "Review",
    "requirement.varied": "Change by the court",
    "breach.lodged": "Breach application",
    "breach.decided": "Decision on a breach",
    "transfer.requested": "Transfer asked for",
    "transfer.answered": "Answer to a transfer",
    "transfer.received": "Transfer from another authority",
    "outcome.measured": "Outcome measured",
    "exit-questionnaire.returned": "Exit questionnaire",
    "order.ended": "End of the order",
    "period.closed": "Monthly totals",
}
"""Each event that tables state, in two or three words, in the order in which an order goes through them."""
_EVERY_ROW = "Every row"
_OWN_LABELS = {
    ("session.recorded", "minutes_credited"): "Time credited",
    ("hours.adjusted", "minutes"): "Time added or taken away",
    ("period.closed", "minutes_credited"): "Time credited in the month",
    ("order.received", "received_on"): "Received from the court",
    ("placement.started", "work_type"): "kind of work",
}
_MOST_WORDS = 60
"""A column with more words than these is no column of codes."""
_FEW_WORDS = 4
_STEM = 5
"""So many letters at the beginning make two words the same here."""
_HALF = 0.5
TRUTHS = (Option("yes", "Yes"), Option("no", "No"))


@dataclass(frozen=True, slots=True)
class Use:
    """One thing that a column may be taken for."""

    key: str
    group: str
    label: str
    kind: Any
    required: bool = False
    event: str = ""
    member: str = ""
    requirement: str = ""
    """The kind of requirement that it is about."""
    born: bool = False
    """Whether the column holds a date of birth, of which only the age is sent."""

    @property
    def option(self) -> Option:
        return Option(self.key, self.label, self.group)

    @property
    def minutes(self) -> bool:
        return self.member in {"minutes", "minutes_credited"}

    @property
    def length(self) -> str:
        """Return the member of a requirement that holds it."""
        return self.member if self.member == "complete_by" else _length(self.requirement)

    def node(self, table: Table) -> Node | None:
        """Return what a table says of it; None if it says nothing, or in a form that only the text can carry."""
        if not self.event:
            return table.get(self.key)
        stated = table.get("states", {}).get(self.event)
        if not isinstance(stated, dict):
            return None
        if self.requirement:
            found = [one for one in stated.get("requirements", ()) if one.get("kind") == self.requirement]
            return found[0].get(self.length) if len(found) == 1 else None
        node = stated.get(self.member)
        return node if (isinstance(node, dict) and "born" in node) is self.born else None

    def place(self, table: Table) -> Path:
        """Return where a table says it."""
        if not self.event:
            return (self.key,)
        if not self.requirement:
            return "states", self.event, self.member
        entries = table["states"][self.event].get("requirements", [])
        number = next((at for at, one in enumerate(entries) if one.get("kind") == self.requirement), 0)
        return "states", self.event, "requirements", str(number)

    def put(self, table: Table, node: Node | None) -> None:
        """Let a table say this of it; None is nothing."""
        if not self.event:
            _put(table, self.key, node)
            return
        stated = table["states"].setdefault(self.event, {}) if node is not None else table["states"].get(self.event)
        if stated is None or is_list_of_forms(stated):
            return
        if self.requirement:
            self._put_requirement(stated, node)
        else:
            _put(stated, self.member, node)

    def _put_requirement(self, stated: Table, node: Node | None) -> None:
        found = stated.setdefault("requirements", [])
        entry = next((one for one in found if one.get("kind") == self.requirement), None)
        if entry is None:
            entry = {"kind": self.requirement}
            found.append(entry)
        _put(entry, self.length, node)
        if not entry.keys() & {"hours", "months", "complete_by"}:
            found.remove(entry)


def _put(part: dict[str, Any], name: str, node: Node | None) -> None:
    if node is None:
        part.pop(name, None)
    else:
        part[name] = node


def _length(kind: str) -> str:
    return "hours" if kind == RequirementKind.UNPAID_WORK else "months"


def labels_of(template: Meaning) -> dict[tuple[str, str], str]:
    """Return how the workbook that needs no mapping calls each member, by event and member."""
    return {
        (stated.fact.NAME, member): str(value.column or value.born)
        for table in template.tables
        for stated in table.facts()
        for member, value in stated.fields.items()
        if value_of(value).column or value.born
    }


def uses_of(labels: Mapping[tuple[str, str], str]) -> dict[str, Use]:
    """Return all uses by their keys."""
    return {use.key: use for use in (*_of_rows(), *_of_events(labels))}


def _of_rows() -> Iterator[Use]:
    yield Use("order", _EVERY_ROW, "Reference of the order", OrderRef, required=True)
    yield Use("caseload", _EVERY_ROW, "Code of the team that works with the order", str)
    yield Use("recorded", _EVERY_ROW, "When the row was last changed", datetime)


def _of_events(labels: Mapping[tuple[str, str], str]) -> Iterator[Use]:
    for name in GROUPS:
        fact = STATABLE[name]
        for member, hint in sorted(members(fact).items(), key=lambda one: _place_of(fact, one[0])):
            if member == "requirements":
                yield from _of_requirements(name)
            else:
                yield from _of_member(name, member, hint, _told(name, member, labels))


def _place_of(fact: type[Fact], member: str) -> int:
    """Return where a member stands in its event: first the day, last why it was late."""
    return 0 if member in fact.DATES else 2 if member == "late_reason" else 1


def _told(name: str, member: str, labels: Mapping[tuple[str, str], str]) -> str:
    """Return what a member is called: with its event, since a closed list shows no groups. A day that names the event needs no more."""
    label = _OWN_LABELS.get((name, member)) or labels.get((name, member)) or member.replace("_", " ")
    group = GROUPS[name]
    named = any(_begins_alike(one, other) for one in plain(label).split() for other in plain(group).split())
    if name == "order.imposed" or (named and member in STATABLE[name].DATES):
        return label
    rest = "why late" if member == "late_reason" else label.removeprefix(f"{group} ")
    return f"{group}: {beginning_small(rest)}"


def _begins_alike(one: str, other: str) -> bool:
    return len(one) >= _STEM and len(other) >= _STEM and one[:_STEM] == other[:_STEM]


def _of_member(event: str, member: str, hint: Any, told: str) -> Iterator[Use]:
    group, key, needed = GROUPS[event], f"{event}:{member}", not optional(hint)
    if member != "age_at_imposition":
        yield Use(key, group, told, bare(hint), needed, event, member)
        return
    yield Use(key, group, "Age when the order was imposed", int, needed, event, member)
    yield Use(f"{key}:born", group, "Date of birth (only the age is sent)", date, False, event, member, born=True)


def _of_requirements(event: str) -> Iterator[Use]:
    for kind in RequirementKind:
        length = _length(kind)
        key, label = f"{event}:requirements:{kind}", f"{kind.label}: {length}"
        yield Use(key, GROUPS[event], label, int, False, event, length, kind)
    unpaid = RequirementKind.UNPAID_WORK
    label = f"{unpaid.label}: date to complete by"
    yield Use(
        f"{event}:requirements:{unpaid}:complete_by", GROUPS[event], label, date, False, event, "complete_by", unpaid
    )


def slots(table: Table, uses: Mapping[str, Use]) -> list[tuple[Use, Node]]:
    """Return the uses that a table finds in a column of its own, with what it says of each."""
    found = ((use, use.node(table)) for use in uses.values())
    return [(use, node) for use, node in found if node is not None and heading_of(node)]


def choices(kind: Any) -> tuple[Option, ...]:
    """Return the values that a member of this type can have, with their labels; none if there are too many to list."""
    if kind is bool:
        return TRUTHS
    if isinstance(kind, type) and issubclass(kind, Code):
        return tuple(Option(str(one), one.label) for one in kind)
    if kind == AuthorityCode:
        return authorities()
    return ()


def authorities() -> tuple[Option, ...]:
    """Return all authorities, by name."""
    return tuple(Option(one.code, one.name) for one in sorted(AUTHORITIES.values(), key=lambda one: one.name))


def fits(column: Seen, use: Use) -> bool:
    """Return whether the values of a column may be those of this use."""
    kind = use.kind
    if not column.filled:
        return True
    if kind in {date, datetime}:
        return column.dated
    if kind is int:
        return column.share(DURATION if use.minutes else int) >= _HALF and not column.dated
    if kind is bool:
        return column.share(bool) >= _HALF or (len(column.words) <= _FEW_WORDS and not column.dated)
    if isinstance(kind, type) and issubclass(kind, Code):
        return len(column.words) <= _MOST_WORDS and not column.dated
    if kind == PersonRef:
        return column.fits(IDENTIFIER)
    return kind == Month or not column.dated


def tells_of_people(use: Use | None, heading: str) -> bool:
    """Return whether the values of a column may name somebody."""
    if use is not None:
        return use.kind == PersonRef or use.born
    words = set(plain(heading).split())
    return bool(words & {"name", "names", "surname", "forename", "forenames", "dob", "birth", "born", "address", "phone", "mobile",
                         "telephone", "tel", "email", "postcode", "client", "person"})  # fmt: skip


def is_reference(kind: Any) -> bool:
    return kind in {Ref, OrderRef}
