"""Faults that no other test here does, some today and others tomorrow, in one order of the many that `make chaos` tries."""

import sys
from random import Random

import pytest

from deploy.local.postgres import Postgres
from tests.faults.chaos.faults import FAULTS, come_and_go, kill_a_worker, kill_kafka, kill_postgres, restart_postgres
from tests.faults.chaos.scene import Scene, play
from tests.faults.chaos.schedule import schedule, table
from tests.support.generated.thorough import THOROUGH, TURN, turns
from tests.support.kafka import KafkaProcess
from tests.support.made.load import Load
from tests.support.processes import Platform

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]


SEED = 1
SOME = 3
ELSEWHERE = (kill_kafka, kill_postgres, restart_postgres, kill_a_worker, come_and_go)
"""They have tests of their own, in test_parts_away and test_killed_workers."""


def test_whatever_happens_nothing_is_lost_doubled_or_stale(
    platform: Platform, kafka_process: KafkaProcess, postgres_process: Postgres
) -> None:
    random = Random(SEED)
    faults = turns([fault for fault in FAULTS if fault not in ELSEWHERE], TURN, SOME)
    scene = Scene(platform, kafka_process, postgres_process, random, bystander="S12000010")
    load = Load(["S12000033", "S12000035"], months=2 if THOROUGH else 1, seed=SEED)
    play(scene, load, schedule(random, len(faults), faults))
    sys.stdout.write(table(scene.took))
