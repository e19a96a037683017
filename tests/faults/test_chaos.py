"""A few seeds of what `make chaos` does with many."""

import sys
from random import Random

import pytest

from deploy.local.postgres import Postgres
from tests.faults.chaos.scene import Scene, play
from tests.faults.chaos.schedule import schedule, table
from tests.support.kafka import KafkaProcess
from tests.support.load import Load
from tests.support.processes import Platform

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]


@pytest.mark.parametrize(
    ("seed", "authorities", "bystander"),
    [(1, ["S12000033", "S12000034"], "S12000014"), (2, ["S12000017", "S12000028"], "S12000010")],
)
def test_whatever_happens_nothing_is_lost_doubled_or_stale(
    platform: Platform,
    kafka_process: KafkaProcess,
    postgres_process: Postgres,
    seed: int,
    authorities: list[str],
    bystander: str,
) -> None:
    random = Random(seed)
    scene = Scene(platform, kafka_process, postgres_process, random, bystander)
    play(scene, Load(authorities, months=3, seed=seed), schedule(random, 6))
    sys.stdout.write(table(scene.took))
