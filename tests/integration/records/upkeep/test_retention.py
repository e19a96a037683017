"""Data that are too old go, of each kind that can go, and the proof and the audit still hold."""

from datetime import timedelta

from sqlalchemy import func, insert, select

from services.chassis.audit import store
from services.chassis.audit.operators import operated
from services.chassis.clock import system_clock
from services.operations.proof.proving import Prover
from services.operations.rights.ageing import GOING
from services.operations.rights.audit import wrong
from services.operations.rights.erasing import PersonSettings, opened
from services.operations.rights.holding import Order, held
from services.operations.rights.retention import PLACES, let_go, standings
from services.operations.rights.schedule import schedule
from services.records.ingest.tables import rejections
from services.reporting.read.tables import sessions
from tests.integration.records.conftest import Bench
from tests.integration.records.test_between_authorities import A, B
from tests.integration.records.upkeep.conftest import P

PERIODS = schedule(None)
YEARS = 365 * timedelta(days=1)


def test_what_is_too_old_goes_and_all_that_is_shown_still_holds(settings: PersonSettings, benches: list[Bench]) -> None:
    now = system_clock()
    cells = [one.cells() for one in benches]
    with opened(settings, tuple(PLACES)) as databases:
        held({name: databases[name] for name in ("orders", "unpaid_work")}, Order(P, "a look"))
        with databases["reporting"].begin() as connection:
            row = dict.fromkeys(("handle", "account", "site", "browser"), "x")
            times = dict.fromkeys(("began_at", "seen_at", "ends_at"), now)
            connection.execute(insert(sessions).values(sealed=b"x", **row, **times))
            operated(connection, "release make")

        def over(later: timedelta) -> set[str]:
            found = standings(settings.kafka, databases, PERIODS, now + later)
            assert {one.age.kind for one in found} == set(PERIODS)
            return {one.age.kind for one in found if one.over}

        assert over(timedelta()) == set()
        assert over(3 * YEARS) == {"refused", "receipts", "news", "sessions"}
        assert over(7 * YEARS) == set(GOING)
        assert not any(let_go(databases, PERIODS, now).values())
        assert let_go(databases, PERIODS, now + 3 * YEARS)["orders refused"] == 3
        assert over(3 * YEARS) == set()
        longer = {
            "receipts": PERIODS["receipts"]._replace(days=None),
            "refused": PERIODS["refused"]._replace(days=3000),
        }
        shorter = {"audit": PERIODS["audit"]._replace(days=1)}
        assert let_go(databases, {**PERIODS, **longer, **shorter}, now + 3 * YEARS)["orders audit"] > 0
        assert proved(settings, benches) == [], "what went under an earlier schedule is not missed under a later one"
        gone = let_go(databases, PERIODS, now + 7 * YEARS)
        assert (gone["orders audit"] > 1, gone["reporting audit"] > 0) == (True, True)
        with databases["reporting"].connect() as connection:
            assert list(wrong(connection, {})) == []
        # What is on record of the trimming is of today, since no clock was moved.
        assert over(7 * YEARS) <= {"audit"}
    assert proved(settings, benches) == []
    assert [one.cells() for one in benches] == cells
    for one in benches:
        with one.database.connect() as connection:
            assert list(wrong(connection, {})) == []
            assert connection.scalar(select(func.count()).select_from(store.names)) == 0
    with benches[0].database.connect() as connection:
        kept = connection.execute(select(rejections.c.reason, rejections.c.value)).all()
    assert [value for _, value in kept] == [None] * 3


def test_what_goes_without_being_on_record_is_found(settings: PersonSettings, benches: list[Bench]) -> None:
    soon = system_clock() + timedelta(days=1)
    with benches[0].database.begin() as connection:
        for kind in ("refused", "receipts"):
            assert GOING[kind](connection, soon) > 0
    assert {line.partition(":")[0] for line in proved(settings, benches)} == {"orders.rejections", "orders.arrivals"}


def proved(settings: PersonSettings, benches: list[Bench]) -> list[str]:
    prover = Prover(settings.kafka, {one.domain.service: (one.database, one.domain) for one in benches}, None)
    return [
        str(wrong) for one in benches for code in (A, B) for wrong in prover.prove(one.domain.service, code).mismatches
    ]
