"""No input makes anything but an outcome, and no line costs another."""

import io
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.decoding.binary import from_http, from_kafka
from contracts.decoding.codec import TYPE_PREFIX, Event, decode
from contracts.decoding.lines import lines
from contracts.decoding.validation import verdicts
from contracts.events import TYPES, Topic
from contracts.generate import schemas
from contracts.generate.samples import ARRIVED
from contracts.rejections import Reason, Rejection
from tests.support.generated import documents, fuzz, spoilt
from tests.support.generated.thorough import examples
from tests.support.outside.lacking import cannot

ROOT = Path(__file__).parents[2]
RUNS = examples(20_000)
"""Of the fuzzer: seconds would be more or fewer of them on another day."""
AUTHORITY = fuzz.AUTHORITY
LATER = datetime(2100, 1, 1, tzinfo=UTC)
"""After any time that a schema accepts."""

BEYOND_SCHEMAS = {
    *(Reason.WRONG_AUTHORITY, Reason.UNKNOWN_FACT, Reason.DATE_AFTER_TIME, Reason.COMPLETE_BY_BEFORE_IMPOSED),
    *(Reason.NO_MAIN_REQUIREMENT, Reason.NEEDS_SUPERVISION, Reason.UNDER_18_NEEDS_SUPERVISION),
    *(Reason.REPEATED_REQUIREMENT, Reason.CREDIT_WITHOUT_ATTENDANCE, Reason.CHANGE_DOES_NOT_FIT),
}
SOMETIMES_BEYOND = {
    (Reason.MISSING_MEMBER, r"\$\.data\.(hours|months|complete_by)"),  # needed by the kind of change
}


@cache
def validators(name: str) -> tuple[Callable[[Any], bool], Callable[[Any], bool]]:
    """Return two readers of schemas that know nothing of our code. Only the second knows leap seconds, so the first leaves times to
    patterns.
    """
    from jsonschema import Draft202012Validator, FormatChecker

    schema = schemas.of_event(name)
    dates = FormatChecker(["date"])
    return (
        Draft202012Validator(schema, format_checker=dates).is_valid,
        jsonschema_rs.Draft202012Validator(schema, validate_formats=True).is_valid,
    )


@pytest.mark.parametrize("topic", Topic)
@settings(max_examples=examples(160))
@given(st.data())
def test_whatever_comes_has_an_outcome(topic: Topic, data: st.DataObject) -> None:
    fuzz.check(data.draw(spoilt.messages(topic)))


HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["ce_specversion", "ce_id", "CE_type", "ce_", "ce_time", "content-type", "x"])
        | st.text(max_size=5),
        st.none()
        | st.binary(max_size=20)
        | st.sampled_from([b"1.0", b"application/json", b'a"b\\', b"2025-01-05T09:00:00Z"]),
    ),
    max_size=9,
)


@settings(max_examples=examples(120))
@given(HEADERS, st.none() | st.sampled_from(spoilt.ODD_BYTES) | st.binary(max_size=40))
def test_whatever_headers_say_has_an_outcome(headers: list[tuple[str, bytes | None]], value: bytes | None) -> None:
    raw = from_kafka(value, headers)
    fuzz.check(raw or b"")
    fuzz.check(from_http(value or b"", [(name.encode(), text or b"") for name, text in headers]) or b"")


@pytest.mark.parametrize("raw", spoilt.ODD_BYTES, ids=lambda raw: f"{len(raw)} bytes")
def test_odd_bytes_have_an_outcome(raw: bytes) -> None:
    fuzz.check(raw)


@pytest.mark.parametrize("topic", Topic)
@settings(max_examples=examples(240))
@given(st.data())
def test_codec_and_schema_agree(topic: Topic, data: st.DataObject) -> None:
    raw = data.draw(spoilt.as_others_write(topic) | spoilt.altered(topic))
    found = decode(raw, topic, AUTHORITY, LATER)
    if isinstance(found, Rejection) and is_beyond(found):
        return
    document = json.loads(raw.decode("utf-8-sig"))
    name = str(document.get("type")).removeprefix(TYPE_PREFIX)
    assert isinstance(found, Event) is (name in TYPES and all(valid(document) for valid in validators(name))), found


def is_beyond(found: Rejection) -> bool:
    """Return whether no schema of ours can see the fault."""
    places = any(found.reason is reason and re.fullmatch(path, found.path) for reason, path in SOMETIMES_BEYOND)
    return found.reason in BEYOND_SCHEMAS or places


@cache
def accepted(name: str) -> st.SearchStrategy[Any]:
    """Return anything that the schema of the type accepts; nearly always of our authority."""
    schema = schemas.of_event(name)
    schema["properties"]["source"] = {"enum": ["/authorities/S12000005", "/authorities/S12000005/systems/x"]}
    return documents.of(schema)


@pytest.mark.parametrize("name", TYPES)
@settings(max_examples=examples(24))
@given(st.data())
def test_what_the_schema_accepts_the_codec_refuses_only_for_what_no_schema_says(name: str, data: st.DataObject) -> None:
    document = data.draw(accepted(name))
    found = decode(json.dumps(document).encode(), TYPES[name].TOPICS[0], AUTHORITY, LATER)
    assert isinstance(found, Event) or is_beyond(found), (found, document)


@given(st.lists(spoilt.lines(Topic.ORDERS), min_size=2, max_size=20))
def test_no_line_costs_another(raws: list[bytes]) -> None:
    together = [
        verdict.content for verdict in verdicts(lines(io.BytesIO(b"\n".join(raws))), ARRIVED, Topic.ORDERS, AUTHORITY)
    ]
    assert together == [decode(raw, Topic.ORDERS, AUTHORITY, ARRIVED) for raw in raws]


def at_depth(depth: int, call: Callable[[], object]) -> object:
    return call() if depth == 0 else at_depth(depth - 1, call)


@pytest.mark.parametrize("depth", [30, 31, 32, 33, 34, 200, 600, 5_000])
def test_nesting_is_judged_the_same_wherever_the_decoder_is_called(depth: int) -> None:
    for raw in (b'{"id":"x","data":' + b"[" * depth + b"]" * depth + b"}", b'{"a":' * depth + b"1" + b"}" * depth):
        judge = partial(decode, raw, Topic.ORDERS, AUTHORITY, ARRIVED)
        judged = [at_depth(stack, judge) for stack in (0, 300, 600)]
        assert judged[0] == judged[1] == judged[2]


def test_judging_takes_no_longer_than_the_line_is_long() -> None:
    """Lines made to be slow: quotes without end, and brackets in them."""
    began = time.process_time()
    for raw in (b'"' + b'\\"[' * 20_000, b"[" * 40 + b'"\\' * 20_000, b'"[' * 30_000, b'{"a":"' + b"\\\\[" * 20_000):
        assert isinstance(decode(raw[: 64 * 1024], Topic.ORDERS, AUTHORITY, ARRIVED), Rejection)
    assert time.process_time() - began < 2


def test_the_check_would_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Rejection:
        raise RecursionError

    monkeypatch.setattr(fuzz, "decode", broken)
    with pytest.raises(RecursionError):
        fuzz.check(b"{}")
    monkeypatch.setattr(fuzz, "decode", lambda *_: Rejection(Reason.BAD_CODE, "$.data", "no such code: \x00"))
    with pytest.raises(AssertionError):
        fuzz.check(b"{}")


def test_atheris_finds_nothing_either(tmp_path: Path) -> None:
    if find_spec("atheris") is None:
        cannot("needs atheris, which is not made for this Python or system")
    fuzz.seed(tmp_path / "corpus", ROOT / "contracts" / "examples")
    command = [sys.executable, "-m", "tests.support.generated.atheris_fuzz", f"-runs={RUNS}", "-max_len=5000"]
    done = subprocess.run(
        [*command, f"-artifact_prefix={tmp_path}/", str(tmp_path / "corpus")],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    runs = re.search(r"Done (\d+) runs", done.stderr)
    assert runs is not None
    assert int(runs[1]) >= RUNS
    assert TYPE_PREFIX in "".join(path.read_text(errors="replace") for path in (tmp_path / "corpus").iterdir())
