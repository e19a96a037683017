"""Proves one authority after the other for ever, within a share of the time. Results are in metrics, and in reporting's table `proofs`."""

import logging
import time
from typing import NoReturn

from prometheus_client import CollectorRegistry, Gauge

from services.chassis import logs
from services.chassis.clock import system_clock
from services.chassis.database import transaction, upsert
from services.chassis.failures import Away
from services.chassis.metrics import exposed, new_registry
from services.operations.proof.proving import Proof, Prover
from services.operations.proof.settings import ProofSettings
from services.reporting.read.tables import proofs

log = logging.getLogger(__name__)
AWAY_SECONDS = 15.0
LEAST_SECONDS = 0.5


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
            "Differences that the last proof found; those about releases have no authority",
            ["service", "authority"],
            registry=registry,
        )


def keep_proving(settings: ProofSettings, prover: Prover, share: float) -> NoReturn:
    """Prove until the process is stopped, which may be at any time."""
    logs.configure(settings.logs, "proof")
    registry = new_registry()
    metrics = ProofMetrics(registry)
    with exposed(settings.metrics, registry):
        while True:
            try:
                _round(prover, metrics, share)
            except Away as away:
                log.warning("proving waits: %s", away)
                time.sleep(AWAY_SECONDS)


def _round(prover: Prover, metrics: ProofMetrics, share: float) -> None:
    """Prove everything once."""
    for authority in prover.authorities():
        for service in prover.books:
            began = time.monotonic()
            note(prover, metrics, prover.prove(service, authority))
            time.sleep(max(LEAST_SECONDS, (time.monotonic() - began) * (1 / share - 1)))
    if prover.reporting is not None:
        note(prover, metrics, Proof("reporting", "", 0, prover.prove_releases()))


def note(prover: Prover, metrics: ProofMetrics, proof: Proof) -> None:
    """Record the result of one proof."""
    now = system_clock()
    for mismatch in proof.mismatches:
        log.error("%s", mismatch.without_orders)
    metrics.proved.labels(proof.service, proof.authority).set(now.timestamp())
    metrics.mismatches.labels(proof.service, proof.authority).set(len(proof.mismatches))
    if prover.reporting is not None:
        columns = ("service", "authority", "proved_at", "events", "mismatches")
        row = (proof.service, proof.authority, now, proof.events, len(proof.mismatches))
        with transaction(prover.reporting) as connection:
            upsert(connection, proofs, columns, [row], key=columns[:2])
