"""Logs are lines of JSON, and nothing of an event gets into them, whoever logs it and however."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from services.chassis import logs
from services.chassis.failures import Away, describe
from services.chassis.logs import MEMBERS, JsonLines

EVENT = {
    "specversion": "1.0",
    "id": "event-id-5512",
    "source": "/authorities/S12000033",
    "subject": "ORDER/77/2026",
    "type": "scot.payback.order.imposed.v1",
    "data": {"person_ref": "pseudonym-abcdef-0123456789", "ethnicity": "sensitive-code", "hours": 157},
}
PAYLOAD = json.dumps(EVENT).encode()
SECRETS = ["event-id-5512", "ORDER/77/2026", "pseudonym-abcdef", "sensitive-code", "157"]


# Of no hierarchy, so that only our formatter meets what it logs.
log = logging.Logger("somebody")  # noqa: LOG001


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines("things"))
    log.addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    log.removeHandler(handler)


def test_a_line_says_when_where_and_what(lines: Callable[[], list[dict[str, Any]]]) -> None:
    log.info("read %d messages of %s", 3, "things.1", extra={"topic": "things.1", "offset": 12})
    (line,) = lines()
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "INFO",
        "service": "things",
        "logger": "somebody",
        "message": "read 3 messages of things.1",
        "topic": "things.1",
        "offset": 12,
    }


def test_what_is_logged_during_a_request_carries_its_id(lines: Callable[[], list[dict[str, Any]]]) -> None:
    token = logs.request_id.set("mine-1")
    log.info("one")
    logs.request_id.reset(token)
    log.info("two")
    assert [line.get("request_id") for line in lines()] == ["mine-1", None]


def test_members_that_are_not_listed_stay_out(lines: Callable[[], list[dict[str, Any]]]) -> None:
    log.info("read", extra={**EVENT["data"], "subject": EVENT["subject"], "payload": PAYLOAD})  # type: ignore[dict-item]
    assert lines()[0].keys() == {"time", "level", "service", "logger", "message"}


def test_no_member_of_an_event_is_listed() -> None:
    """But for codes of authorities and the kind of a reason, which are neither a person nor an order."""
    assert not {"id", "subject", "source", "data", "person_ref", "key", "value", "payload"} & set(MEMBERS)


def _fault(message: object) -> Exception:
    try:
        try:
            raise KeyError(message)  # noqa: TRY301
        except KeyError as fault:
            raise ValueError(message) from fault
    except ValueError as fault:
        return fault


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: log.info("got %s", PAYLOAD),
        lambda: log.info("got %r", EVENT),
        lambda: log.info("got %s", PAYLOAD.decode()),
        lambda: log.info("got %(event)s", {"event": EVENT}),
        lambda: log.info("got %s", [EVENT["subject"]]),
        lambda: log.info("got %r", SimpleNamespace(value=PAYLOAD)),
        lambda: log.info("got %s and %d", EVENT, "157"),
        lambda: log.info(PAYLOAD.decode()),
        lambda: log.info(PAYLOAD),
        lambda: log.info(f"got {EVENT}"),  # noqa: G004
        lambda: log.info("read", extra={"reason": PAYLOAD.decode()}),
        lambda: log.info("read", extra={"kind": EVENT}),
        lambda: log.error(_fault(PAYLOAD)),
        lambda: log.error("fault: %s", _fault(EVENT["subject"])),
        lambda: log.error("fault", exc_info=_fault(PAYLOAD)),
        lambda: log.error("fault", exc_info=_fault(EVENT)),
    ],
)
def test_nothing_of_an_event_gets_in(attempt: Callable[[], None], lines: Callable[[], list[dict[str, Any]]]) -> None:
    attempt()
    assert len(lines()) == 1
    assert not [secret for secret in SECRETS if secret in json.dumps(lines()[0]["message"])]
    assert not [secret for secret in SECRETS[:-1] if secret in json.dumps(lines())]


def test_an_error_is_told_by_kind_and_place(lines: Callable[[], list[dict[str, Any]]]) -> None:
    log.error("fault", exc_info=_fault("hush"))
    first, second = lines()[0]["error"]
    assert first.startswith("ValueError at ")
    assert second.startswith("KeyError at ")
    assert "_fault" in first


def test_a_failure_tells_its_reason(lines: Callable[[], list[dict[str, Any]]]) -> None:
    log.warning("waiting: %s", Away("PostgreSQL is away"))
    assert lines()[0]["message"] == "waiting: Away: PostgreSQL is away"


def test_a_description_is_told_whole_however_long(lines: Callable[[], list[dict[str, Any]]]) -> None:
    reason = "the topic was made again, and what to do about it is a long story " * 5
    log.error("stopped: %s", describe(Away(reason)))
    assert lines()[0]["message"] == f"stopped: Away: {reason}"


def test_a_message_that_does_not_fit_its_arguments_is_not_lost(lines: Callable[[], list[dict[str, Any]]]) -> None:
    log.info("%d of %d", 1)  # noqa: PLE1206
    assert lines()[0]["message"] == "%d of %d"


PROGRAM = """
import logging, warnings
early = logging.getLogger("uvicorn.error")
early.addHandler(logging.StreamHandler())
early.propagate = False
from services.chassis import logs
from services.chassis.settings import LogSettings
logs.configure(LogSettings(level="INFO"), "things")
early.info("from uvicorn")
logging.getLogger("aiokafka.consumer").info("chatter")
logging.getLogger("services.things").debug("too fine")
warnings.warn("careful")
"""


def test_one_formatter_serves_the_whole_process() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    written = [json.loads(line) for line in ran.stderr.splitlines()]
    assert [line["logger"] for line in written] == ["uvicorn.error", "py.warnings"]
    assert ran.stdout == ""
