"""The mapping: what it may say, its schema, and what is said of a wrong one."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.connect.document import PATH, document
from services.connect.faults import CannotGoOn
from services.connect.mapping.loading import load_mapping, read_mapping
from services.connect.mapping.model import STATABLE
from tests.support.made.extracts import MAPPING

ROOT = Path(__file__).parents[4]
WORKED = sorted((ROOT / "docs/examples/connect").rglob("*.yaml"))
SCHEMA: dict[str, Any] = json.loads(document())
GOOD = MAPPING.format(more="vanished: report")


def test_the_committed_schema_is_what_the_types_say() -> None:
    from jsonschema import Draft202012Validator

    assert PATH.read_text() == document(), "run `make documents`"
    Draft202012Validator.check_schema(SCHEMA)


def test_the_schema_knows_every_fact() -> None:
    assert set(SCHEMA["$defs"]["States"]["properties"]) == set(STATABLE)


@pytest.mark.parametrize("path", WORKED, ids=lambda path: path.stem)
def test_worked_mappings_are_good_by_schema_and_by_program(path: Path) -> None:
    from jsonschema import Draft202012Validator

    load_mapping(path)
    Draft202012Validator(SCHEMA).validate(yaml.safe_load(path.read_text()))
    first = path.read_text().splitlines()[0]
    assert (path.parent / first.removeprefix("# yaml-language-server: $schema=")).resolve() == PATH


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("S12000027", "S12999999", "S12999999 is not an authority's code"),
        ("order: Ref", "ordre: Ref", "nothing is called 'ordre' here"),
        ("order: Ref", "file: x", "`order` must say which column"),
        ("sex: Sex", "gender: Sex", "table 1, states.order.imposed: nothing is called 'gender' here"),
        ("sex: Sex", "", "'sex' is missing"),
        ("{born: DOB}", "{born: DOB, column: Age}", "age_at_imposition needs one of"),
        ("hours: Hours", "months: Hours", "unpaid_work needs `hours`"),
        ("contact.made", "contact.mad", "contact.mad"),
        ("authority:", "authority: [", "is not YAML"),
    ],
)
def test_a_wrong_mapping_is_said_in_words(old: str, new: str, words: str) -> None:
    with pytest.raises(CannotGoOn) as fault:
        read_mapping(GOOD.replace(old, new), "orders.yaml")
    assert "orders.yaml" in str(fault.value)
    assert words in str(fault.value)


def test_open_questions_are_told_all_at_once(tmp_path: Path) -> None:
    path = tmp_path / "orders.yaml"
    path.write_text(GOOD.replace("sex: Sex", 'sex: "?"').replace("person_ref: Client", 'person_ref: "?"'))
    with pytest.raises(CannotGoOn, match=r"^2 questions are open in .*: line \d+ person_ref, line \d+ sex\.$"):
        load_mapping(path)


def test_words_that_yaml_would_change_stay_as_they_are_written() -> None:
    found = read_mapping(
        GOOD.replace("sex: Sex", "sex: {column: Sex, codes: {No: male, 01: female, 2026-01-01: not_known}}"), "m"
    )
    (imposed, *_) = found.tables[0].facts()
    assert imposed.fields["sex"].codes == {"No": "male", "01": "female", "2026-01-01": "not_known"}
