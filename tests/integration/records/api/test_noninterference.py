"""An authority's answers depend on another's records only where these name it.

Two worlds differ in nothing but what authority B tells without naming A. Whatever A has told, also about orders that it
invented and references that it guessed, A's answers must be the same, to the byte and with all headers, and so must be the statements that
they take. So must be the pages that the desk makes of them.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from io import BytesIO
from typing import Any, NamedTuple
from zipfile import ZipFile, is_zipfile

import httpx2
import pytest
from sqlalchemy import Engine, event

from contracts.codes import EndReason
from contracts.events import Fact, OrderEnded, TransferAnswered, TransferReceived, TransferRequested
from services.chassis.api.policy import Policy, Who
from services.desk.policies import POLICIES as DESK
from tests.integration.records.api.test_audit import ASKED_WITH, NOT_HERE
from tests.integration.records.conftest import Bench
from tests.integration.records.test_between_authorities import Sender
from tests.support.desk import client, desk_over, token
from tests.support.lives import imposed

MakeBench = Callable[[str], Bench]
A, B, C = "S12000005", "S12000036", "S12000049"
TODAY = "2025-08-29"
GROWING = {"GET /v1/audit", "DELETE /v1/own/feed-references"}
"""With each look, and each time that it is asked."""
SUBJECTS = ("X/1", "X/2", "X/3")
"""Few references and days, so that guesses of A often hit."""
NAMED = {
    "service": "orders", "offset": "0", "name": "cpo", "label": "2024-25", "secret": "x", "webhook": "x", "kid": "x", "id": "x",
    "number": "0", "event_id": "1",
}  # fmt: skip
"""What stands in the place of each name of an address."""
PAGES = {
    "/figures": "/figures?service=orders&measure=orders_imposed&period=2025-03-01&category=",
    "/held": "/held?month=2025-03",
    "/find": "/find?q=X/1",
}


def told(chance: random.Random, names: tuple[str, ...]) -> Iterator[tuple[str, Fact]]:
    """Yield random statements about orders, which name only these other authorities."""
    for subject in SUBJECTS:
        stated: list[Fact] = [
            imposed(date(2025, 3, 3) + timedelta(days=chance.randrange(2))),
            TransferRequested(ref="t1", requested_on=date(2025, 4, 1), to=chance.choice(names)),
            TransferAnswered(ref="t1", answered_on=date(2025, 4, 2), accepted=chance.random() < 0.7),
            OrderEnded(ended_on=date(2025, 4, 2), reason=EndReason.TRANSFERRED_OUT),
            TransferReceived(
                received_on=date(2025, 4, 3), from_=chance.choice(names), from_subject=chance.choice(SUBJECTS)
            ),
        ]
        yield from ((subject, fact) for fact in stated if chance.random() < 0.6)


class Asked(NamedTuple):
    """One request."""

    method: str
    path: str
    body: Any = None


def asked(policies: Mapping[str, Policy]) -> Iterator[Asked]:
    """Yield requests to every route of the table by which an authority asks: a name that is not known here is a KeyError."""
    for name, policy in policies.items():
        if policy.who.of_the_nation or policy.who is Who.ANYBODY or name in GROWING | NOT_HERE:
            continue
        method, path = name.split(" ")
        path = ASKED_WITH.get(name, PAGES.get(path, path)).replace("CPO/1", "{subject}").replace(":path", "")
        for subject in SUBJECTS if "{subject}" in path else SUBJECTS[:1]:
            yield Asked(
                method, path.format(subject=subject, **NAMED), None if method == "GET" else BODIES.get(name, {})
            )


BODIES = {
    "POST /v1/acknowledgements": {
        "duties": [{"subject": subject, "standard": "first_contact", "due_on": "2025-03-05"} for subject in SUBJECTS],
        "reason": "other_area",
    }
}
MORE = [Asked("GET", f"/v1/{path}") for path in ("worklist?within=250", "counted?month=2025-04", "findings?limit=1")]


class Answered(NamedTuple):
    """An authority's answers, and the work that was done for them: the same work takes the same time."""

    told: dict[str, tuple[int, dict[str, str], object]]
    """Status, headers and content of each."""
    done: list[tuple[str, int]]
    """Each statement, with the number of its rows."""

    def statuses(self) -> list[int]:
        return [one[0] for one in self.told.values()]


def answers(ask: Callable[[Asked], httpx2.Response], requests: list[Asked]) -> Answered:
    done: list[tuple[str, int]] = []

    def note(_c: object, cursor: Any, statement: str, *_: object) -> None:
        done.append((statement, cursor.rowcount))

    event.listen(Engine, "after_cursor_execute", note)
    try:
        found = {f"{one.method} {one.path}": ask(one) for one in requests}
    finally:
        event.remove(Engine, "after_cursor_execute", note)
    return Answered({name: told_by(one) for name, one in found.items()}, done)


def told_by(answer: httpx2.Response) -> tuple[int, dict[str, str], object]:
    """Return status, headers and bytes; of a workbook those of its parts, since it tells when it was written."""
    if not is_zipfile(BytesIO(answer.content)):
        return answer.status_code, dict(answer.headers), answer.content
    with ZipFile(BytesIO(answer.content)) as parts:
        of_parts = {name: parts.read(name) for name in parts.namelist() if name != "docProps/core.xml"}
    return (
        answer.status_code,
        {name: value for name, value in answer.headers.items() if name != "content-length"},
        of_parts,
    )


def of_api(sender: Sender, authority: str) -> Answered:
    bench = sender.bench
    api = client(bench.database, bench.domain, TODAY)
    headers = token(authority, "orders:read", "orders:manage") | {"x-request-id": "alike"}
    app: Any = api.app
    requests = [*asked(app.state.policies), *MORE]
    return answers(lambda one: api.request(one.method, one.path, json=one.body, headers=headers), requests)


def of_desk(senders: Mapping[str, Sender], authority: str) -> Answered:
    pages = desk_over({name: (one.bench.database, one.bench.domain) for name, one in senders.items()}, TODAY)
    requests = [one for one in asked(DESK) if one.method == "GET"]
    given = {"Cookie": pages.cookie(authority), "x-request-id": "alike"}
    return answers(lambda one: pages.client.get(one.path, headers=given, follow_redirects=False), requests)


@pytest.mark.parametrize("service", ["orders", "unpaid_work"])
@pytest.mark.parametrize("seed", range(6))
def test_records_that_do_not_name_an_authority_change_none_of_its_answers(
    bench: MakeBench, service: str, seed: int
) -> None:
    chance = random.Random(seed)
    sender = Sender(bench(service))
    begin(chance, sender)
    of_api(sender, A)  # the first time finds no session to go on with, and what is written stays
    before = of_api(sender, A)
    for subject, fact in told(chance, (C, B)):
        sender.tell(B, fact, subject=subject)
    after = of_api(sender, A)
    assert after.told == before.told
    assert after.done == before.done
    assert before.statuses().count(200) > 15
    assert len(before.done) > len(before.told)


def begin(chance: random.Random, sender: Sender) -> None:
    """Have A tell whatever it likes, and C what names A."""
    of_a = list(told(chance, (B, C)))
    shared = list(told(chance, (A, C)))
    for subject, fact in of_a:
        sender.tell(A, fact, subject=subject)
    for subject, fact in shared:
        sender.tell(C, fact, subject=subject)


@pytest.mark.parametrize("seed", range(2))
def test_nor_do_they_change_a_page_of_its_desk(bench: MakeBench, seed: int) -> None:
    """The desk makes them of what the services answer, whose work the test above compares."""
    senders = {name: Sender(bench(name)) for name in ("orders", "unpaid_work")}
    chances = {name: random.Random(seed) for name in senders}
    for name, sender in senders.items():
        begin(chances[name], sender)
    of_desk(senders, A)
    before = of_desk(senders, A)
    for name, sender in senders.items():
        for subject, fact in told(chances[name], (C, B)):
            sender.tell(B, fact, subject=subject)
    after = of_desk(senders, A)
    assert after.told == before.told
    assert before.statuses().count(200) > 15


def test_the_worlds_would_differ_if_everything_were_matched(bench: MakeBench) -> None:
    """The test above can fail: what national viewers are told does change."""
    orders = Sender(bench("orders"))
    orders.tell(A, imposed(date(2025, 3, 3)), TransferRequested(ref="t1", requested_on=date(2025, 4, 1), to=B))
    api = client(orders.bench.database, orders.bench.domain, TODAY)
    before = api.get("/v1/transfers", headers=token(None, "national:inspect")).json()
    orders.tell(B, imposed(date(2025, 3, 3)), subject="E/7")
    assert api.get("/v1/transfers", headers=token(None, "national:inspect")).json() != before
