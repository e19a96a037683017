"""In what order parts are proved, and what is told of them."""

import logging
from collections.abc import Mapping
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from services.chassis.failures import Away
from services.chassis.settings import KafkaSettings
from services.operations.proof.mismatch import Mismatch
from services.operations.proof.proving import PUT_ASIDE, Proof
from services.operations.proof.proving import Prover as Real
from services.operations.proof.watching import ProofMetrics, Rounds, note

WRONG = Mismatch("orders.cells", "a cell", 2, 1)


class Prover:
    """A prover that knows the differences, and notes what it was asked."""

    reporting = None
    books: Mapping[str, object] = {"orders": None, "unpaid_work": None}

    def __init__(self) -> None:
        self.wrong: dict[str, list[Mismatch]] = {}
        self.asked: list[str] = []

    def authorities(self) -> list[str]:
        return ["A", "B"]

    def prove(self, service: str, authority: str) -> Proof:
        self.asked.append(f"{service} {authority}")
        return Proof(service, authority, 1, self.wrong.get(self.asked[-1], []))


@pytest.fixture
def prover() -> Prover:
    return Prover()


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def rounds(prover: Prover, registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch) -> Rounds:
    monkeypatch.setattr("services.operations.proof.watching.time.sleep", lambda _: None)
    return Rounds(prover, ProofMetrics(registry), 1)  # type: ignore[arg-type]


def test_where_all_adds_up_each_part_is_proved_once(rounds: Rounds, prover: Prover) -> None:
    rounds.go()
    assert prover.asked == ["orders A", "unpaid_work A", "orders B", "unpaid_work B"]


def test_what_differs_is_proved_again_in_between_until_it_is_mended(
    rounds: Rounds, prover: Prover, registry: CollectorRegistry
) -> None:
    def mismatches() -> float | None:
        return registry.get_sample_value("payback_proof_mismatches", {"service": "orders", "authority": "A"})

    prover.wrong = {"orders A": [WRONG], "unpaid_work A": [WRONG]}
    rounds.go()
    assert prover.asked == [
        *("orders A", "unpaid_work A", "orders A", "orders B", "unpaid_work A", "unpaid_work B", "orders A"),
    ], "each in its turn"
    assert mismatches() == 1
    prover.wrong, prover.asked = {}, []
    rounds.go()
    assert mismatches() == 0
    assert prover.asked == ["orders A", *["unpaid_work A"] * 2, "orders B", "unpaid_work B"]
    prover.asked = []
    rounds.go()
    assert len(prover.asked) == 4


def test_what_was_put_aside_does_not_page_twice(registry: CollectorRegistry, caplog: pytest.LogCaptureFixture) -> None:
    """Reporting itself tells of it, and AggregatesPutAside fires."""
    aside = Mismatch(PUT_ASIDE, "number of messages that could not be taken", 1, 0)
    note(cast("Real", Prover()), ProofMetrics(registry), Proof("reporting", "", 0, [aside, WRONG]))
    assert registry.get_sample_value("payback_proof_mismatches", {"service": "reporting", "authority": ""}) == 1
    assert len(caplog.records) == 2


def test_what_was_told_is_not_told_again(rounds: Rounds, prover: Prover, caplog: pytest.LogCaptureFixture) -> None:
    prover.wrong = {"orders A": [WRONG]}
    with caplog.at_level(logging.ERROR):
        rounds.go()
        rounds.go()
        assert len(caplog.records) == 1
        prover.wrong = {"orders A": [WRONG, WRONG._replace(what="another cell")]}
        rounds.go()
    assert [str(WRONG.what), "another cell"] == [
        record.message.split(": ")[1].split(" is ")[0] for record in caplog.records
    ]


class Failing(Real):
    """One that fails at every authority but the last."""

    fault: Exception = KeyError("somebody's name")

    def authorities(self) -> list[str]:
        return ["A", "B"]

    def _prove(self, service: str, authority: str) -> Proof:
        if authority == "A":
            raise self.fault
        return Proof(service, authority, 1, [])


def test_an_authority_that_cannot_be_proved_is_told_and_the_others_are_proved(
    registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("services.operations.proof.watching.time.sleep", lambda _: None)
    prover = Failing(KafkaSettings(bootstrap="nowhere:1"), cast("Any", {"orders": None}))
    rounds = Rounds(prover, ProofMetrics(registry), 1)
    with caplog.at_level(logging.ERROR):
        rounds.go()

    def mismatches(authority: str) -> float | None:
        return registry.get_sample_value("payback_proof_mismatches", {"service": "orders", "authority": authority})

    assert (mismatches("A"), mismatches("B")) == (1, 0)
    (said,) = [record.message for record in caplog.records]
    assert said.startswith("orders: the comparison of A is ended by KeyError at services/operations/proof/proving.py:")
    assert "somebody" not in said
    monkeypatch.setattr(Failing, "fault", Away("Kafka is away"))
    with pytest.raises(Away):
        rounds.go()
