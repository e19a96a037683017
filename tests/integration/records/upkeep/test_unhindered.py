"""An erasure waits for nobody else: neither for an authority that is parked, nor for one that goes on writing."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import text

from contracts.codes import Activity, Attendance, WorkType
from contracts.decoding.codec import encode
from contracts.events import Fact, SessionRecorded, Topic, TransferReceived
from contracts.topics import topic_of
from services.chassis.clock import system_clock
from services.chassis.failures import Refused
from services.chassis.streaming.clients.bulk import BulkProducer
from services.chassis.streaming.clients.outgoing import Outgoing
from services.chassis.streaming.containment import Contained
from services.operations.books import DOMAINS
from services.operations.doctor import look_at_books
from services.operations.proof.proving import Prover
from services.operations.rights import erasing
from services.operations.rights.erasing import PersonSettings, forget, opened
from services.records.ingest.guarding import parking
from services.records.ingest.guarding.parking import Action
from services.records.ingest.worker import Worker
from services.records.model.domain import Domain
from services.records.upkeep.history import History
from services.records.upkeep.rewriting import Topics, since
from tests.integration.records.conftest import Bench
from tests.integration.records.ingest.guarding.test_parking import failing_on
from tests.integration.records.test_between_authorities import A, B
from tests.integration.records.upkeep.conftest import OTHER, P, read_all
from tests.integration.records.upkeep.test_person import ASKED_BY, Broken, breaking_off, everything
from tests.support.lives import event, imposed

POISON = "900"
TOPIC = topic_of(Topic.ORDERS, B)
CAME = TransferReceived(received_on=date(2025, 5, 6), from_=A, from_subject="CPO/2")
"""Names an order of the person, and is not processed yet when the erasure begins."""
IMPOSED = imposed(date(2025, 5, 1))
HOURS = SessionRecorded(
    ref="E/1-s1",
    session_on=date(2025, 5, 10),
    attendance=Attendance.ATTENDED,
    activity=Activity.UNPAID_WORK,
    work_type=next(iter(WorkType)),
    minutes_credited=120,
)


def send(settings: PersonSettings, authority: str, *told: tuple[Fact, str, str]) -> None:
    """Send facts about orders as events of these ids, all about another person."""
    with BulkProducer(settings.kafka) as producer:
        producer.send_all(list(written(authority, *told)))


def written(authority: str, *told: tuple[Fact, str, str]) -> Iterator[Outgoing]:
    for fact, subject, id_ in told:
        value = encode(event(fact, subject, authority, int(id_))).replace(P.encode(), OTHER.encode())
        yield Outgoing(topic_of(type(fact).TOPICS[0], authority), subject.encode(), value)


def take(settings: PersonSettings, bench: Bench, domain: Domain) -> None:
    """Have a worker read everything that it can."""
    worker = Contained(Worker(bench.database, domain, bench.worker_metrics()))
    with closing(History(settings.kafka, domain)) as log:
        log.begin(worker)
        log.feed(worker, log.ends(), lambda *_: None)


def failing(make: Callable[..., Domain]) -> Callable[..., Domain]:
    return lambda *calendars: failing_on(make(*calendars), {POISON})


@pytest.fixture
def parked(settings: PersonSettings, benches: list[Bench], monkeypatch: pytest.MonkeyPatch) -> None:
    """Park an authority in both services by a fault, before two more of its events. The fault goes on in the rebuilt tables.

    Its other topic was read to its end before, which is further than a rebuild gets that meets the fault in the first batch.
    """
    send(settings, B, (HOURS, "E/1", "890"))
    for one in benches:
        read_all(settings, one)
    send(settings, B, (IMPOSED, "E/5", POISON), (CAME, "E/2", "901"), (IMPOSED, "E/6", "902"))
    for one in benches:
        take(settings, one, failing_on(one.domain, {POISON}))
        assert at_the_poison(settings, one)
    monkeypatch.setattr(erasing, "DOMAINS", {name: failing(make) for name, make in DOMAINS.items()})


def at_the_poison(settings: PersonSettings, bench: Bench) -> bool:
    """Return whether the authority is parked exactly there, where the log has it last."""
    with bench.database.connect() as connection:
        place: Any = parking.parked(connection)[B].place
        reached = connection.scalar(text("SELECT next_offset FROM checkpoints WHERE topic = :of"), {"of": TOPIC})
    found = [one.offset for one in since(settings.kafka, {TOPIC: 0})[TOPIC] if b'"900"' in (one.value or b"")]
    return bool(place.offset == reached == max(found))


@pytest.mark.usefixtures("parked")
def test_a_parked_authority_is_not_waited_for_and_goes_on_where_it_stopped(
    settings: PersonSettings, benches: list[Bench]
) -> None:
    before = [one.cells() for one in benches]
    with opened(settings) as books:
        forget(settings, books, ASKED_BY)
    assert [one.cells() for one in benches] == before
    told = everything(settings, benches)
    assert [name for name in (P, "CPO/1", "CPO/2") if name in told] == []
    assert all(at_the_poison(settings, one) for one in benches)
    for one in benches:
        release(one, Action.RETRIED)
        read_all(settings, one)
        assert orders_of(one) >= {"E/2", "E/5", "E/6"}
    all_is_counted(settings, benches)


@pytest.mark.usefixtures("parked")
def test_what_operators_decide_while_it_is_half_done_holds_for_the_same_event(
    settings: PersonSettings, benches: list[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(settings) as books:
        for owner, step in ((Topics, "delete_old"), (Topics, "delete_old"), (erasing, "_make_again")):
            with monkeypatch.context() as broken:
                broken.setattr(owner, step, breaking_off(getattr(owner, step)))
                with pytest.raises(Broken):
                    forget(settings, books, ASKED_BY)
            assert [at_the_poison(settings, one) for one in benches] == [True, True]
        assert erasures(settings) == 1, "operators are told of it until it has come to its end"
        for one in benches:
            release(one, Action.SKIPPED)
        forget(settings, books, ASKED_BY)
    assert erasures(settings) == 0
    for one in benches:
        read_all(settings, one)
        with one.database.connect() as connection:
            assert parking.parked(connection) == {}
            aside = connection.scalars(text("SELECT event_id FROM rejections WHERE reason = 'put_aside'")).all()
        assert aside == ([POISON] if one.domain.own is Topic.ORDERS else []), (
            "a service keeps what is put aside of its own"
        )
        assert orders_of(one) == {"E/1", "E/2", "E/6"}
    all_is_counted(settings, benches)


def erasures(settings: PersonSettings) -> int:
    """Return of how many erasures `payback doctor` says that they have not ended."""
    return sum("erasure" in told for told in look_at_books(settings.database, system_clock()))


def release(bench: Bench, action: Action) -> None:
    with bench.database.begin() as connection:
        parking.release(connection, B, action, "an operator", "because", system_clock())


def orders_of(bench: Bench) -> set[str]:
    with bench.database.connect() as connection:
        return set(connection.scalars(text("SELECT subject FROM records WHERE authority = :of"), {"of": B}))


def all_is_counted(settings: PersonSettings, benches: list[Bench]) -> None:
    """Assert that the tables hold what the log holds, of both authorities."""
    prover = Prover(settings.kafka, {one.domain.service: (one.database, one.domain) for one in benches}, None)
    for one in benches:
        for authority in (A, B):
            assert [str(found) for found in prover.prove(one.domain.service, authority).mismatches] == []


def test_an_authority_that_goes_on_writing_is_not_waited_for(
    settings: PersonSettings, benches: list[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing that it sends meanwhile is lost, nor what comes of the person's own authority about other people."""
    begin = erasing._begin

    def meanwhile(*given: Any) -> None:
        send(settings, A, (IMPOSED, "CPO/70", "970"))
        begin(*given)

    monkeypatch.setattr(erasing, "_begin", meanwhile)
    with writing(settings) as sent, opened(settings) as books:
        forget(settings, books, ASKED_BY)
    assert len(sent) > 20
    for one in benches:
        read_all(settings, one)
        assert orders_of(one) >= set(sent)
    told = everything(settings, benches)
    assert [name for name in (P, "CPO/1", "CPO/2") if f'{name}"' in told] == []
    assert "CPO/70" in told
    all_is_counted(settings, benches)


@contextmanager
def writing(settings: PersonSettings) -> Iterator[list[str]]:
    """Have the other authority send one event after the other, until the block ends. Yields the orders that they are about."""
    sent, stop = list[str](), Event()

    def send_on() -> None:
        with BulkProducer(settings.kafka) as producer:
            while not stop.wait(0.02):
                subject, id_ = f"E/{1000 + len(sent)}", f"{1000 + len(sent)}"
                producer.send_all(list(written(B, (IMPOSED, subject, id_))))
                sent.append(subject)

    thread = Thread(target=send_on)
    thread.start()
    try:
        yield sent
    finally:
        stop.set()
        thread.join()


def test_events_about_the_person_that_keep_coming_end_it_before_anything_is_changed(
    settings: PersonSettings, benches: list[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = erasing._begin

    def meanwhile(*given: Any) -> None:
        begin(*given)
        with BulkProducer(settings.kafka) as producer:
            value = encode(event(IMPOSED, "CPO/1", A, 980))
            producer.send_all([Outgoing(topic_of(Topic.ORDERS, A), b"CPO/1", value)])

    before = [one.cells() for one in benches]
    monkeypatch.setattr(erasing, "_begin", meanwhile)
    monkeypatch.setattr(erasing, "TRIES", 1)
    with opened(settings) as books, pytest.raises(Refused, match="still sends events about this person"):
        forget(settings, books, ASKED_BY)
    assert [one.cells() for one in benches] == before
    assert P in everything(settings, benches)


def test_an_event_that_comes_while_it_writes_keeps_it_from_ending(
    settings: PersonSettings, benches: list[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is too late to write that anew, so the command is to be run again, which finds it and comes to its end."""
    append = Topics._append

    def late(topics: Topics, producer: BulkProducer, its: Any, begin: int) -> list[int]:
        if begin:
            with BulkProducer(settings.kafka) as other:
                value = encode(event(IMPOSED, "CPO/1", A, 990))
                other.send_all([Outgoing(topic_of(Topic.ORDERS, A), b"CPO/1", value)])
        return append(topics, producer, its, begin)

    with opened(settings) as books:
        with monkeypatch.context() as disturbed:
            disturbed.setattr(Topics, "_append", late)
            with pytest.raises(Refused, match="came while it was erased"):
                forget(settings, books, ASKED_BY)
        assert erasures(settings) == 1
        for one in benches:
            read_all(settings, one)
        forget(settings, books, ASKED_BY)
    assert [name for name in (P, "CPO/1") if f'{name}"' in everything(settings, benches)] == []
    all_is_counted(settings, benches)
