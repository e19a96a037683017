"""No later release breaks a vendor: what was released is kept, and the gate that sees to it is shown to close."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from contracts.decoding.codec import Event, decode, encode
from contracts.generate.compatibility import breaks, removed
from contracts.generate.release import Release, broken_promises, files, released, today
from contracts.generate.samples import ARRIVED
from contracts.rejections import Reason
from contracts.topics import authority_of, kind_of_topic
from contracts.version import VERSION

ROOT = Path(__file__).parents[2]
RELEASES = released(ROOT)
LATEST = RELEASES[-1]
Schema = dict[str, Any]


def test_there_are_releases() -> None:
    assert RELEASES[0].version == "1.0.0"
    assert "order.imposed.v1" in RELEASES[0].schemas


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.version)
def test_every_promise_is_kept(release: Release) -> None:
    assert broken_promises(release) == []


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.version)
def test_every_event_ever_released_is_read_as_it_was_meant(release: Release) -> None:
    assert sum(map(len, release.corpus.values())) >= 300
    for topic, lines in release.corpus.items():
        for line in lines:
            pair = json.loads(line)
            found = decode(json.dumps(pair["sent"]).encode(), kind_of_topic(topic), authority_of(topic), ARRIVED)
            assert isinstance(found, Event), (found, pair["sent"])
            assert json.loads(encode(found)) == pair["means"]


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.version)
def test_the_corpus_holds_every_type_and_code(release: Release) -> None:
    text = b"".join(line for lines in release.corpus.values() for line in lines)
    for name, schema in release.schemas.items():
        if name != "national.aggregates":
            codes = {code for part in schema["$defs"].values() for code in part.get("enum", [])}
            assert f'"scot.payback.{name}"'.encode() in text
            assert {code for code in codes if f'"{code}"'.encode() not in text} == set()


def test_a_contract_that_changed_has_a_new_version() -> None:
    changed = today() != LATEST.schemas or [str(reason) for reason in Reason] != LATEST.reasons
    assert changed is (LATEST.version != VERSION), "raise the version in contracts/version.py with the first change"


def test_a_release_holds_what_is_compared() -> None:
    names = {path.removeprefix(f"contracts/releases/{VERSION}/").split("/")[0] for path in files(VERSION)}
    assert names == {"reasons.json", "schemas", "corpus"}


def changed(name: str, change: Callable[[Schema], object]) -> list[str]:
    """Return the gate's answer when the type's schema is changed in this way."""
    present = deepcopy(LATEST.schemas)
    change(present[name])
    return removed(LATEST.schemas, present)


def data(schema: Schema, title: str) -> Schema:
    found: Schema = schema["$defs"][title]
    return found


def session(schema: Schema) -> Schema:
    return data(schema, "SessionRecorded")


def rename(schema: Schema) -> None:
    properties = session(schema)["properties"]
    properties["minutes"] = properties.pop("minutes_credited")
    session(schema)["required"][-1] = "minutes"


def require(schema: Schema) -> None:
    data(schema, "ContactMade")["required"].append("late_reason")


def require_new(schema: Schema) -> None:
    session(schema)["properties"]["supervisor"] = {"type": "string"}
    session(schema)["required"].append("supervisor")


BREAKS: dict[str, tuple[str, Callable[[Schema], object], str]] = {
    "a member removed": (
        "session.recorded.v1",
        lambda s: session(s)["properties"].pop("work_type") and session(s)["required"].remove("work_type"),
        "$.data.work_type: removed",
    ),
    "an attribute of the envelope removed": (
        "heartbeat.v1",
        lambda s: s["properties"].pop("producerversion"),
        "$.producerversion: removed",
    ),
    "a member renamed": ("session.recorded.v1", rename, "$.data.minutes: required now"),
    "a code removed": (
        "session.recorded.v1",
        lambda s: data(s, "Attendance")["enum"].remove("left_early"),
        "$.data.attendance: left_early is no longer allowed",
    ),
    "a code renamed": (
        "order.ended.v1",
        lambda s: data(s, "EndReason")["enum"].__setitem__(0, "done"),
        "$.data.reason: completed is no longer allowed",
    ),
    "a code list where there was none": (
        "assessment.completed.v1",
        lambda s: data(s, "AssessmentCompleted")["properties"]["tool"].update(enum=["LSCMI"]),
        "$.data.tool: anything else is no longer allowed",
    ),
    "a lower maximum": (
        "session.recorded.v1",
        lambda s: session(s)["properties"]["minutes_credited"].update(maximum=480),
        "$.data.minutes_credited: maximum was narrowed to 480",
    ),
    "a higher minimum": (
        "order.imposed.v1",
        lambda s: data(s, "UnpaidWork")["properties"]["hours"].update(minimum=30),
        "minimum was narrowed to 30",
    ),
    "a new limit": (
        "period.closed.v1",
        lambda s: data(s, "PeriodClosed")["properties"]["orders_ended"].update(maximum=1000),
        "maximum was narrowed to 1000",
    ),
    "fewer items": (
        "order.imposed.v1",
        lambda s: data(s, "OrderImposed")["properties"]["requirements"].update(maxItems=5),
        "maxItems was narrowed to 5",
    ),
    "another pattern": (
        "order.imposed.v1",
        lambda s: data(s, "OrderImposed")["properties"]["person_ref"].update(pattern="^[a-z]{16}$"),
        "$.data.person_ref: pattern was changed",
    ),
    "another type": (
        "session.recorded.v1",
        lambda s: session(s)["properties"]["minutes_credited"].update(type="string"),
        "$.data.minutes_credited: string instead of integer",
    ),
    "no longer nullable": (
        "contact.made.v1",
        lambda s: data(s, "ContactMade")["properties"]["late_reason"]["anyOf"].pop(),
        "$.data.late_reason",
    ),
    "an alternative removed": (
        "order.imposed.v1",
        lambda s: data(s, "OrderImposed")["properties"]["requirements"]["items"]["anyOf"].pop(3),
        "$.data.requirements[]",
    ),
    "an optional member required": ("contact.made.v1", require, "$.data.late_reason: required now"),
    "a new member required": ("session.recorded.v1", require_new, "$.data.supervisor: required now"),
    "another subject": (
        "order.imposed.v1",
        lambda s: s["properties"]["subject"].update({"not": {"enum": ["-", "."]}}),
        "$.subject: not was changed",
    ),
    "a keyword that nobody thought of": (
        "order.imposed.v1",
        lambda s: data(s, "OrderImposed")["properties"]["requirements"].update(uniqueItems=True),
        "uniqueItems was changed, and this gate cannot judge that",
    ),
    "a member of the aggregates removed": (
        "national.aggregates",
        lambda s: data(s, "Cell")["properties"].pop("known_on") and data(s, "Cell")["required"].remove("known_on"),
        "$.known_on: removed",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BREAKS)
def test_the_gate_closes(case: str) -> None:
    name, change, words = BREAKS[case]
    told = changed(name, change)
    assert told, "the break was let through"
    assert any(one.startswith(f"{name}: ") and words in one for one in told), told


def test_a_type_cannot_be_removed() -> None:
    present = {name: schema for name, schema in LATEST.schemas.items() if name != "plan.agreed.v1"}
    assert removed(LATEST.schemas, present) == ["plan.agreed.v1: the type was removed"]


def test_a_refusal_cannot_be_removed() -> None:
    kept = LATEST._replace(reasons=[*LATEST.reasons, "too_late"])
    assert broken_promises(kept) == ["refusal too_late was removed"]


WIDER: dict[str, Callable[[Schema], object]] = {
    "an optional member": lambda s: session(s)["properties"].update(note_kind={"type": "string"}),
    "another code": lambda s: data(s, "Attendance")["enum"].append("attended_online"),
    "a higher maximum": lambda s: session(s)["properties"]["minutes_credited"].update(maximum=720),
    "no longer required": lambda s: session(s)["required"].remove("work_type"),
    "other words": lambda s: s.update(description="What happened at a session."),
    "another alternative": lambda s: session(s)["properties"].update(
        minutes_credited={"anyOf": [session(s)["properties"]["minutes_credited"], {"type": "null"}]}
    ),
}


@pytest.mark.parametrize("case", WIDER)
def test_the_gate_lets_through_what_breaks_nobody(case: str) -> None:
    assert changed("session.recorded.v1", WIDER[case]) == []


def test_a_new_version_beside_the_old_one_is_the_way_to_break() -> None:
    present = deepcopy(LATEST.schemas)
    present["session.recorded.v2"] = deepcopy(present["session.recorded.v1"])
    rename(present["session.recorded.v2"])
    assert removed(LATEST.schemas, present) == []
    assert breaks(LATEST.schemas["session.recorded.v1"], present["session.recorded.v2"]) != []
