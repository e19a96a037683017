"""A fault of `make alerts` on the platform of these tests, another one tomorrow: it pages once, alone, and clears when it is mended."""

import shutil
from collections.abc import Iterator

import pytest

from deploy.local.postgres import Postgres
from tests.faults.alerts.prove import Proof, prove
from tests.faults.alerts.scene import MIDDLE, Scene, start_watch
from tests.faults.alerts.table import FAULTS, Fault
from tests.faults.alerts.watched import rules, watching
from tests.support.generated.thorough import TURN, turns
from tests.support.kafka import KafkaProcess
from tests.support.processes import Platform

pytestmark = [
    pytest.mark.faults,
    pytest.mark.long,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        not (shutil.which("prometheus") and shutil.which("prometheus-alertmanager")),
        reason="prometheus or prometheus-alertmanager is not installed (Debian has both)",
    ),
]
HERE = ("a worker is killed", "PostgreSQL is stopped", "an authority is parked")


@pytest.fixture(scope="module")
def scene(
    _platform: Platform,
    _kafka_process: KafkaProcess,
    _postgres_process: Postgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Scene]:
    _platform.mend()
    home = tmp_path_factory.mktemp("alerts")
    _platform.start("desk-api")
    start_watch(_platform, home, share=0.03)
    try:
        with watching(home) as watched:
            found = Scene(_platform, _kafka_process, _postgres_process, watched, home, home)
            found.heartbeats([MIDDLE])
            found.watch()
            yield found
    finally:
        _platform.mend()


@pytest.mark.parametrize(
    "fault", [one for one in FAULTS if one.name in turns(HERE, TURN)], ids=lambda fault: fault.alert
)
def test_a_fault_pages_once_and_clears(scene: Scene, fault: Fault) -> None:
    (proof,) = prove(scene, [fault])
    assert isinstance(proof, Proof), proof
    assert proof.others <= fault.also


def test_every_alert_of_the_table_is_deployed() -> None:
    assert {fault.alert for fault in FAULTS} <= rules().keys()
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
