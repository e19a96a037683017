"""An authority's answers depend on another's records only where these name it.

Two worlds differ in nothing but what authority B tells without naming A, asks and decides. Whatever A has told, also about orders that it
invented and references that it guessed, and whatever it sends, A's answers must be the same, to the byte and with all headers, and so must
be the statements that they take. So must be the pages that the desk makes of them. A walks over every route of the applications' tables.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Protocol

import httpx2
import pytest
from cryptography.fernet import Fernet
from fastapi.testclient import TestClient

from contracts.codes import EndReason
from contracts.decoding.codec import encode
from contracts.events import Fact, OrderEnded, Topic, TransferAnswered, TransferReceived, TransferRequested
from contracts.receipts.keys import SigningKey, new_key
from contracts.topics import topic_of
from services.chassis.api.policy import Policy
from services.chassis.database import engine, settings_of
from services.chassis.metrics import new_registry
from services.chassis.settings import DatabaseSettings, TokenSettings
from services.chassis.web.oidc import DONE
from services.records.api.management import Own
from services.records.config.settings import WebhookSettings
from services.reporting.app import build
from services.reporting.settings import SCHEMA, ApiSettings
from tests.integration.records.api.test_audit import close_day
from tests.integration.records.api.test_walls import forgetful
from tests.integration.records.conftest import Bench
from tests.integration.records.test_between_authorities import Sender
from tests.support import desk, parts
from tests.support.asking import UNLIMITED, InThisThread
from tests.support.desk import Pages, client, desk_of, keys, new_client, noon_of, token
from tests.support.generated.thorough import TURN, turns
from tests.support.lives import event as told_event
from tests.support.lives import imposed
from tests.support.walking import walk
from tests.support.walking.answered import Answered, answers
from tests.support.walking.walk import SUBJECTS, Asked

MakeBench = Callable[[str], Bench]
A, B, C = "S12000005", "S12000036", "S12000049"
TODAY = "2025-08-29"
MAY = ("orders:read", "orders:manage", "events:write")
NOT_ASKED = {"GET /openapi.json": "the code's own document, the same for everybody"}
"""Routes without a place in the walk, and why."""
NOT_ASKED_AT_THE_DESK = NOT_ASKED | {
    "GET /static/{name}": "the code's own files, the same for everybody",
    "POST /sign-in": "takes a token, and reads nothing but it",
    "GET /sign-in/begin": "leads to the provider of sign-ins, who knows of no record",
    f"GET {DONE}": "asks the provider of sign-ins, who knows of no record",
    "GET /sessions": "asks reporting, where no record is",
    "POST /sessions/{id}": "asks reporting, where no record is",
}
OWN = Own(webhooks=WebhookSettings.model_validate({"key": Fernet.generate_key().decode()}))


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


class World:
    """A platform at a fixed moment, and what authorities have told it."""

    def __init__(self, url: str, services: Sequence[str], key: SigningKey, *, figures: bool) -> None:
        self.url, self.key, self._has_figures = url, key, figures
        self.senders = {name: Sender(Bench(url, name)) for name in services}
        self._reporting = engine(DatabaseSettings(url=url, schema_name=SCHEMA))
        self._apis: dict[str, TestClient] = {}
        self._desk: Pages | None = None

    def api(self, name: str) -> TestClient:
        if name not in self._apis:
            bench = self.senders[name].bench
            self._apis[name] = new_client(bench.database, bench.domain, TODAY, OWN, clock=noon_of(TODAY))
        return self._apis[name]

    def policies(self, name: str) -> Mapping[str, Policy]:
        app: Any = self.api(name).app
        found: Mapping[str, Policy] = app.state.policies
        return found

    def desk(self) -> Pages:
        if self._desk is None:
            asked = {name: self.api(name) for name in self.senders}
            self._desk = desk_of(asked | ({"reporting": self._figures()} if self._has_figures else {}))
        return self._desk

    def _figures(self) -> TestClient:
        """Return reporting, which has heard nothing: reports of the desk ask it."""
        told = TokenSettings(public_key=keys().public)
        settings = ApiSettings(database=settings_of(self._reporting), tokens=told, http=UNLIMITED)
        return InThisThread(build(settings, self._reporting, new_registry(), noon_of(TODAY)))

    def begin(self, seed: int) -> None:
        """Have A tell whatever it likes, C what names A, and close a day of A."""
        for sender in self.senders.values():
            chance = random.Random(seed)
            refuse(sender, A)
            of_a, shared = list(told(chance, (B, C))), list(told(chance, (A, C)))
            for authority, facts in ((A, of_a), (C, shared)):
                for subject, fact in facts:
                    sender.tell(authority, fact, subject=subject)
            close_day(sender, self.key)

    def go_on(self, seed: int) -> None:
        """Have B tell what does not name A, and close a day of B."""
        for sender in self.senders.values():
            refuse(sender, B)
            for subject, fact in told(random.Random(f"B {seed}"), (C, B)):
                sender.tell(B, fact, subject=subject)
            close_day(sender, self.key, B)

    def close(self) -> None:
        self._reporting.dispose()
        for sender in self.senders.values():
            sender.bench.database.dispose()


def refuse(sender: Sender, authority: str) -> None:
    """Have the worker refuse what an authority sends."""
    refused = encode(told_event(imposed(date(2025, 3, 3)), "X/1", authority)).replace(b'"sheriff_summary"', b'"none"')
    sender.send_raw(topic_of(sender.bench.domain.own, authority), refused)


class Worlds(Protocol):
    """Makes two worlds of these services that begin alike; in the second B goes on."""

    def __call__(self, seed: int, services: Sequence[str], *, figures: bool = False) -> tuple[World, World]: ...


@pytest.fixture
def worlds(postgres_server: str, migrated: Callable[[], str], tmp_path: Path) -> Iterator[Worlds]:
    made: list[World] = []

    def make(seed: int, services: Sequence[str], *, figures: bool = False) -> tuple[World, World]:
        key = new_key(tmp_path / "key.pem")
        first = World(migrated(), services, key, figures=figures)
        made.append(first)
        first.begin(seed)
        first.close()  # who is connected keeps it from being copied
        copy = copies.enter_context(parts.databases(postgres_server, template_of(first)))
        second = World(copy(), services, key, figures=figures)
        made.append(second)
        second.go_on(seed)
        return first, second

    with ExitStack() as copies:
        yield make
        for one in made:
            one.close()


def template_of(world: World) -> str:
    return world.url.rpartition("/")[2]


@pytest.fixture
def making(monkeypatch: pytest.MonkeyPatch) -> walk.Making:
    """Return what makes names and secrets, which would differ between two worlds by chance."""
    made = walk.Making()
    monkeypatch.setattr("services.records.api.receipts.subscribing.token_hex", made.webhook)
    monkeypatch.setattr("services.records.api.receipts.subscribing.new_secret", made.secret)
    monkeypatch.setattr("services.desk.pages.feeds.secrets.token_urlsafe", made.calendar)
    monkeypatch.setattr("services.chassis.audit.store.secrets.token_bytes", bytes)
    return made


def walked(app: Any, not_asked: Mapping[str, str]) -> list[str]:
    """Return the routes that have a place in the walk, of an application's own table."""
    known: Mapping[str, Policy] = app.state.policies
    assert not_asked.keys() <= known.keys()
    return [route for route in known if route not in not_asked]


Which = Callable[[str], bool]


def reads(route: str) -> bool:
    return route.startswith("GET ")


def writes(route: str) -> bool:
    return not reads(route)


def any_route(_route: str) -> bool:
    return True


def of_api(world: World, name: str, authority: str, which: Which = any_route) -> Answered:
    api, topic = world.api(name), world.senders[name].bench.domain.own
    headers = token(authority, *MAY) | {"x-request-id": "alike"}

    def ask(one: Asked) -> httpx2.Response:
        given = {**one.given, "headers": headers | one.given.get("headers", {})}
        return api.request(one.method, one.path, **given)

    return answers(ask, walk.of_records(filter(which, walked(api.app, NOT_ASKED)), topic, authority))


def of_desk(world: World, authority: str, which: Which = any_route) -> Answered:
    pages = world.desk()
    given = {"Cookie": pages.cookie(authority, *MAY), "x-request-id": "alike", "Origin": "http://testserver"}

    def ask(one: Asked) -> httpx2.Response:
        return pages.client.request(one.method, one.path, headers=given, follow_redirects=False, **one.given)

    return answers(ask, walk.of_desk(filter(which, walked(pages.client.app, NOT_ASKED_AT_THE_DESK)), authority))


SERVICES = ("orders", "unpaid_work")


@pytest.mark.parametrize(
    ("service", "seed"),
    [(name, seed) for turn, name in enumerate(SERVICES) for seed in turns(range(1, 6), TURN + turn, some=2)],
)
def test_records_that_do_not_name_an_authority_change_none_of_its_answers(
    worlds: Worlds, making: walk.Making, service: str, seed: int
) -> None:
    """None of the answers, nor the work that they take."""
    making.authority = A
    expected, found = (of_api(world, service, A, reads) for world in worlds(seed, [service]))
    check_alike(expected, found)


@pytest.mark.parametrize("service", SERVICES)
def test_nor_does_what_others_ask_and_decide_whatever_an_authority_asks_and_decides(
    worlds: Worlds, making: walk.Making, service: str
) -> None:
    """At any route: a new one has its place in the walk, or its reason above."""
    without, beside = worlds(0, [service])
    for world, authority in ((without, C), (beside, B)):
        making.authority = authority
        of_api(world, service, authority, writes)
    making.authority = A
    expected, found = of_api(without, service, A), of_api(beside, service, A)
    check_alike(expected, found)
    of_the_nation = {route for route, one in without.policies(service).items() if one.who.of_the_nation}
    assert expected.unanswered(walked(without.api(service).app, NOT_ASKED)) == of_the_nation


def check_alike(expected: Answered, found: Answered) -> None:
    assert found.told == expected.told
    assert found.done == expected.done
    assert len(expected.done) > len(expected.told)
    assert expected.number_answered() > 30


def test_nor_a_page_of_its_desk(worlds: Worlds, making: walk.Making) -> None:
    """The desk makes them of what the services answer, whose work the tests above compare."""
    making.authority = A
    expected, found = (of_desk(world, A, _of_orders) for world in worlds(1, SERVICES))
    assert found.told == expected.told
    assert expected.number_answered() > 30


def _of_orders(route: str) -> bool:
    return reads(route) and not route.startswith(("GET /reports", "GET /evidence"))


def test_nor_do_forms_that_others_send_whatever_it_sends_itself(worlds: Worlds, making: walk.Making) -> None:
    """At any route of the desk, with the reports, which ask for figures too."""
    without, beside = worlds(0, SERVICES, figures=True)
    making.authority = B
    of_desk(beside, B, writes)
    making.authority = A
    expected, found = of_desk(without, A), of_desk(beside, A)
    assert found.told == expected.told
    assert expected.unanswered(walked(without.desk().client.app, NOT_ASKED_AT_THE_DESK)) == set()


def test_a_route_without_a_place_in_the_walk_is_found() -> None:
    """The tests above can fail: a name that nobody knows in an address, and a form of which nobody knows what it takes."""
    with pytest.raises(KeyError):
        walk.of_records(["GET /v1/new/{thing}"], Topic.ORDERS, A)
    [asked] = walk.of_records(["POST /v1/new"], Topic.ORDERS, A)
    refused = Answered({asked.name: (422, {}, b"")}, [], [asked])
    assert refused.unanswered(["POST /v1/new"]) == {"POST /v1/new"}


def test_without_walls_and_filters_the_walk_would_tell(
    worlds: Worlds, making: walk.Making, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests above can fail: what B has told shows at once."""
    monkeypatch.setattr(desk, "behind", engine)
    making.authority, made = A, worlds(0, ["orders"])
    with forgetful():
        expected, found = (of_api(world, "orders", A, reads) for world in made)
    telling = {one.route for one in expected.requests if expected.told[one.name] != found.told[one.name]}
    assert telling >= {"GET /v1/findings", "GET /v1/rejections", "GET /v1/held", "GET /v1/audit"}
    assert found.done != expected.done


def test_the_worlds_would_differ_if_everything_were_matched(bench: MakeBench) -> None:
    """The tests above can fail: what national viewers are told does change."""
    orders = Sender(bench("orders"))
    orders.tell(A, imposed(date(2025, 3, 3)), TransferRequested(ref="t1", requested_on=date(2025, 4, 1), to=B))
    api = client(orders.bench.database, orders.bench.domain, TODAY)
    before = api.get("/v1/transfers", headers=token(None, "national:inspect")).json()
    orders.tell(B, imposed(date(2025, 3, 3)), subject="E/7")
    assert api.get("/v1/transfers", headers=token(None, "national:inspect")).json() != before
