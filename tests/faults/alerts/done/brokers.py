"""Faults of one broker of several."""

from collections.abc import Callable

from tests.faults.alerts.scene import Scene
from tests.support.kafka import KafkaProcess
from tests.support.processes import until

Mend = Callable[[], object]


def begin_broker(scene: Scene) -> None:
    """Let a second broker join, which holds no topic, and wait until Prometheus knows of it."""
    broker = KafkaProcess(joins=scene.kafka)
    scene.later.callback(broker.remove)
    scene.brokers.append(broker)
    broker.start()
    until(lambda: _known(scene), "Prometheus knows of two brokers")


def _known(scene: Scene) -> bool:
    return bool(scene.watched.ask("query", query="payback_brokers == 2")["result"])


def kill_broker(scene: Scene) -> Mend:
    (broker,) = scene.brokers
    broker.kill()
    return broker.start
