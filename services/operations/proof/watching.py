"""Proves one authority after the other for ever, within a share of the time. Results are in metrics, and in reporting's table `proofs`."""

import logging
import time
from collections.abc import Callable, Collection
from typing import NoReturn

from prometheus_client import CollectorRegistry, Gauge

from services.chassis import logs
from services.chassis.clock import system_clock
from services.chassis.database import transaction, upsert
from services.chassis.failures import Away
from services.chassis.metrics import exposed, new_registry
from services.operations.proof.databases import DatabaseMetrics, look_around
from services.operations.proof.mismatch import Mismatch
from services.operations.proof.proving import PUT_ASIDE, Proof, Prover
from services.operations.proof.settings import ProofSettings
from services.reporting.read.tables import proofs
from services.reporting.settings import SCHEMA

log = logging.getLogger(__name__)
AWAY_SECONDS = 15.0
LEAST_SECONDS = 0.5
Part = tuple[str, str]
"""A service and an authority; the releases are those of reporting and of nobody."""
RELEASES = (SCHEMA, "")


class ProofMetrics:
    """Metrics of what was proved."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.proved = Gauge(
            "payback_proved_timestamp_seconds",
            "When everything of the authority was last compared with the log",
            ["service", "authority"],
            registry=registry,
        )
        self.mismatches = Gauge(
            "payback_proof_mismatches",
            "Differences that the last proof found; those about releases have no authority. Without what reporting put aside",
            ["service", "authority"],
            registry=registry,
        )


def keep_proving(settings: ProofSettings, prover: Prover, share: float) -> NoReturn:
    """Prove until the process is stopped, which may be at any time."""
    logs.configure(settings.logs, "proof")
    registry = new_registry()
    metrics = DatabaseMetrics(registry)
    services = [*prover.books, *([SCHEMA] if prover.reporting is not None else [])]
    rounds = Rounds(prover, ProofMetrics(registry), share, lambda: look_around(settings.database, services, metrics))
    with exposed(settings.metrics, registry):
        while True:
            try:
                rounds.go()
            except Away as away:
                log.warning("proving waits: %s", away)
                time.sleep(AWAY_SECONDS)


class Rounds:
    """Proves one part after the other, and in between those that differ, so that their repair is noticed soon."""

    def __init__(
        self, prover: Prover, metrics: ProofMetrics, share: float, look: Callable[[], None] = lambda: None
    ) -> None:
        self._prover, self._metrics, self._share, self._look = prover, metrics, share, look
        self._wrong: dict[Part, list[Mismatch]] = {}

    def go(self) -> None:
        """Prove everything once, after a look at the databases. Raises Away or Refused."""
        self._look()
        parts = [(service, authority) for authority in self._prover.authorities() for service in self._prover.books]
        for part in [*parts, *([RELEASES] if self._prover.reporting is not None else [])]:
            self._prove(part)
            longest_ago = next(iter(self._wrong), part)
            if longest_ago != part:
                self._prove(longest_ago)

    def _prove(self, part: Part) -> None:
        began = time.monotonic()
        proof = Proof(*part, 0, self._prover.prove_releases()) if part == RELEASES else self._prover.prove(*part)
        note(self._prover, self._metrics, proof, told=self._wrong.pop(part, ()))
        if proof.mismatches:
            self._wrong[part] = proof.mismatches
        time.sleep(max(LEAST_SECONDS, (time.monotonic() - began) * (1 / self._share - 1)))


def note(prover: Prover, metrics: ProofMetrics, proof: Proof, told: Collection[Mismatch] = ()) -> None:
    """Record the result of one proof, and log each mismatch that was not `told` before."""
    now, known = system_clock(), set(map(str, told))
    for mismatch in proof.mismatches:
        if str(mismatch) not in known:
            log.error("%s", mismatch.without_orders)
    metrics.proved.labels(proof.service, proof.authority).set(now.timestamp())
    differences = [one for one in proof.mismatches if one.table != PUT_ASIDE]
    metrics.mismatches.labels(proof.service, proof.authority).set(len(differences))
    if prover.reporting is not None:
        columns = ("service", "authority", "proved_at", "events", "mismatches")
        row = (proof.service, proof.authority, now, proof.events, len(proof.mismatches))
        with transaction(prover.reporting) as connection:
            upsert(connection, proofs, columns, [row], key=columns[:2])
