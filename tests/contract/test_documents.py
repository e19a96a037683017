"""The generated documents: up to date, and believed by readers that know nothing of our code."""

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from contracts import codes
from contracts.cells import MEASURES, Cell, Position, encode_aggregate
from contracts.decoding.codec import Event, decode
from contracts.events import TYPES, Topic
from contracts.generate import words
from contracts.generate.documents import documents, stale
from contracts.generate.examples import REFUSED
from contracts.generate.samples import ARRIVED
from contracts.rejections import OF_ORDERS, Reason, Rejection
from tests.support.outside.npm import asked, fetched

ROOT = Path(__file__).parents[2]
CONTRACTS = ROOT / "contracts"
EXAMPLES = CONTRACTS / "examples"
PARSER = ROOT / "tests" / "asyncapi"

VALID = sorted((EXAMPLES / "valid").glob("*.json"))
INVALID: list[dict[str, str]] = json.loads((EXAMPLES / "invalid.json").read_text())
LINES = sorted(EXAMPLES.glob("*.ndjson"))


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CONTRACTS / "schemas" / f"{name}.json").read_text())
    return found


def validator(name: str) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema(name), format_checker=Draft202012Validator.FORMAT_CHECKER)


def type_in(document: dict[str, Any]) -> str:
    return str(document["type"]).removeprefix("scot.payback.")


def decoded(raw: bytes, document: dict[str, Any]) -> Event | Rejection:
    topic = next(topic for topic in Topic if topic in TYPES[type_in(document)].TOPICS)
    found = decode(raw, topic, "S12000005", ARRIVED)
    return decode(raw, Topic.UNPAID_WORK, "S12000005", ARRIVED) if isinstance(found, Rejection) else found


def test_the_committed_documents_are_what_the_types_say() -> None:
    assert stale(ROOT) == [], "run `make documents`"


def test_drift_is_noticed(tmp_path: Path) -> None:
    for path, content in documents().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    assert stale(tmp_path) == []
    (tmp_path / "contracts/schemas/heartbeat.v1.json").write_text("{}")
    (tmp_path / "contracts/asyncapi.yaml").unlink()
    (tmp_path / "docs/reference/left-over.md").write_text("")
    assert stale(tmp_path) == [
        "contracts/asyncapi.yaml",
        "contracts/schemas/heartbeat.v1.json",
        "docs/reference/left-over.md",
    ]


def test_the_generator_agrees_from_the_command_line() -> None:
    subprocess.run([sys.executable, "-m", "contracts.generate", "--check"], cwd=ROOT, check=True)


@pytest.mark.parametrize("name", [*TYPES, "national.aggregates"])
def test_schemas_are_schemas(name: str) -> None:
    from jsonschema import Draft202012Validator

    Draft202012Validator.check_schema(schema(name))


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.name)
def test_valid_examples_are_accepted_by_schema_and_codec(path: Path) -> None:
    document = json.loads(path.read_text())
    validator(type_in(document)).validate(document)
    assert isinstance(decoded(path.read_bytes(), document), Event)


def test_every_type_has_a_valid_example() -> None:
    assert {type_in(json.loads(path.read_text())) for path in VALID} == set(TYPES)


@pytest.mark.parametrize("path", LINES, ids=lambda path: path.name)
def test_lines_of_examples_are_accepted(path: Path) -> None:
    kind, _, authority = path.stem.rpartition(".")
    results = [decode(line, Topic(kind), authority, ARRIVED) for line in path.read_bytes().splitlines()]
    assert results
    assert not [result for result in results if isinstance(result, Rejection)]
    assert [result.sequence for result in results if isinstance(result, Event)] == list(range(1, len(results) + 1))


@pytest.mark.parametrize("entry", INVALID, ids=lambda entry: entry["file"])
def test_invalid_examples_are_refused_as_stated(entry: dict[str, str]) -> None:
    refused = decode((EXAMPLES / entry["file"]).read_bytes(), Topic(entry["topic"]), entry["authority"], ARRIVED)
    assert isinstance(refused, Rejection)
    assert (str(refused.reason), refused.path) == (entry["reason"], entry["path"])
    assert refused.reason.remedy == entry["remedy"]


def test_every_reason_has_an_invalid_example() -> None:
    assert {entry["reason"] for entry in INVALID} == {str(reason) for reason in Reason if reason not in OF_ORDERS}
    assert len(INVALID) == len(REFUSED)


BEYOND_SCHEMAS = {
    *("wrong_topic", "wrong_authority", "unknown_fact"),  # who sends, and where to
    *("time_in_future", "date_after_time", "complete_by_before_imposed"),  # one date beside another
    *("no_main_requirement", "needs_supervision", "under_18_needs_supervision", "repeated_requirement"),
    *("credit_without_attendance", "change_does_not_fit"),
    "repeated_member",  # what reads JSON for a validator keeps the last of two
}
"""Reasons that no schema of ours can see."""
NEEDED_BY_THE_CHANGE = ("missing_member", "$.data.hours")


@pytest.mark.parametrize("entry", INVALID, ids=lambda one: one["file"])
def test_schemas_refuse_what_schemas_can_see(entry: dict[str, str]) -> None:
    raw = (EXAMPLES / entry["file"]).read_text()
    if entry["reason"] in {"not_json", "too_large"}:
        return
    document = json.loads(raw)
    name = type_in(document) if isinstance(document, dict) and type_in(document) in TYPES else "order.received.v1"
    beyond = entry["reason"] in BEYOND_SCHEMAS or (entry["reason"], entry["path"]) == NEEDED_BY_THE_CHANGE
    assert validator(name).is_valid(document) is beyond
    assert jsonschema_rs.Draft202012Validator(schema(name), validate_formats=True).is_valid(document) is beyond


def test_the_schema_of_aggregates_takes_what_is_published() -> None:
    from datetime import UTC, date, datetime

    cell = Cell("orders", "S12000005", 1, 7, "orders_imposed", date(2025, 3, 1), "", date(2025, 3, 4), 12)
    position = Position(
        "orders", "S12000005", 1, 7, {"orders.events.S12000005/0": 41}, datetime(2025, 3, 4, tzinfo=UTC)
    )
    for row in (cell, position):
        validator("national.aggregates").validate(json.loads(encode_aggregate(row)))
    assert not validator("national.aggregates").is_valid(json.loads(encode_aggregate(cell)) | {"subject": "CPO/1"})


def test_every_member_has_plain_words() -> None:
    for name in TYPES:
        parts = {"the envelope": schema(name), **schema(name)["$defs"]}
        silent = [
            f"{title}.{member}"
            for title, part in parts.items()
            for member, form in part.get("properties", {}).items()
            if "description" not in form and member != "data"
        ]
        assert silent == []
        assert parts["the envelope"]["description"]


def test_the_reference_names_everything() -> None:
    pages = "".join(path.read_text() for path in (ROOT / "docs" / "reference").rglob("*.md"))
    lists = [value for value in vars(codes).values() if isinstance(value, type) and issubclass(value, codes.Code)]
    names = {*TYPES, *MEASURES, *map(str, Reason), *(str(code) for one in lists for code in one)}
    assert {name for name in names if name not in pages} == set()


def test_links_of_the_reference_lead_somewhere() -> None:
    import re

    for page in (ROOT / "docs").rglob("*.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page}: {target}"


def test_the_data_contract_is_one() -> None:
    from jsonschema import Draft7Validator, Draft201909Validator, Draft202012Validator

    document = yaml.safe_load((CONTRACTS / "national.aggregates.odcs.yaml").read_text())
    standard = json.loads(files("open_data_contract_standard").joinpath("schema.json").read_text())
    dialects = {"draft-07": Draft7Validator, "2019-09": Draft201909Validator, "2020-12": Draft202012Validator}
    check = next(kind for name, kind in dialects.items() if name in standard["$schema"])
    check(standard).validate(document)
    cell, position = document["schema"]
    assert [one["name"] for one in cell["properties"]][1:] == list(Cell.__struct_fields__)
    assert [one["name"] for one in position["properties"]][1:] == list(Position.__struct_fields__)


def test_words_are_found_for_inherited_and_renamed_members() -> None:
    assert words.members(TYPES["transfer.received.v1"]).keys() >= {"from", "from_subject", "received_on"}


@pytest.fixture(scope="module")
def asyncapi_parser() -> Path:
    """Return the script that runs @asyncapi/parser."""
    return fetched(PARSER, "@asyncapi/parser") / "check.js"


def test_the_asyncapi_parser_accepts_the_document(asyncapi_parser: Path) -> None:
    found = asked(asyncapi_parser, CONTRACTS / "asyncapi.yaml")
    assert [finding for finding in found["findings"] if finding["severity"] <= 1] == []  # errors and warnings
    assert found["valid"]
    assert set(found["messages"]) == {*TYPES, "cell", "position"}
    assert sorted(found["channels"]) == [
        "national.aggregates",
        "orders.events.{authority}",
        "unpaid-work.events.{authority}",
    ]


def test_the_asyncapi_parser_would_refuse_a_broken_one(asyncapi_parser: Path, tmp_path: Path) -> None:
    document = yaml.safe_load((CONTRACTS / "asyncapi.yaml").read_text())
    del document["channels"]["orders"]["address"], document["info"]["title"]
    broken = tmp_path / "asyncapi.yaml"
    broken.write_text(yaml.safe_dump(document))
    assert not asked(asyncapi_parser, broken)["valid"]
