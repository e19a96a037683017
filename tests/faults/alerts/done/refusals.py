"""Faults of what is sent and asked: events and requests that are refused, and requests that fail."""

from collections.abc import Callable
from contextlib import closing

from kafka import KafkaProducer

from tests.faults.alerts.scene import MIDDLE, SMALLEST, Scene, people

Mend = Callable[[], object]
LARGEST = "S12000049"
UNREADABLE = b'{"specversion": "1.0"}'
ONE_IN = 20
"""Requests of which one fails: more than may fail in the long run, and fewer than wake anybody."""


def refuse_all(scene: Scene) -> Mend:
    """Send as many refused events as the smallest authority sends in a day, by a program that says its version."""
    with closing(KafkaProducer(bootstrap_servers=scene.platform.kafka)) as producer:
        for _ in range(4):
            producer.send(f"orders.events.{SMALLEST}", UNREADABLE).get(10)
    return lambda: scene.heartbeats([SMALLEST], 5)


def refuse_producer(scene: Scene) -> Mend:
    """Send from a new version of a program, which is refused, while the old one goes on beside it."""
    scene.heartbeats([MIDDLE], 20)
    with closing(KafkaProducer(bootstrap_servers=scene.platform.kafka)) as producer:
        for _ in range(4):
            producer.send(f"orders.events.{MIDDLE}", b'{"producerversion": "5.0"}').get(10)
    return lambda: None


def bad_tokens(scene: Scene) -> Mend:
    for _ in range(60):
        assert scene.authority_posts(MIDDLE, "not.a.token") == 401
    return lambda: None


def failing_requests(scene: Scene) -> Mend:
    scene.platform.execute("ALTER TABLE reporting.releases RENAME TO gone")
    client = scene.platform.client("reporting", "national")
    away = people(1, lambda: client.get("/v1/releases"), pause=0.1)

    def mend() -> None:
        scene.platform.execute("ALTER TABLE reporting.gone RENAME TO releases")
        away()

    return mend


def refuse_some(scene: Scene) -> Mend:
    """Send events of the largest authority, of which one in five is refused."""
    scene.heartbeats([LARGEST], 100)
    with closing(KafkaProducer(bootstrap_servers=scene.platform.kafka)) as producer:
        for _ in range(25):
            producer.send(f"orders.events.{LARGEST}", UNREADABLE).get(10)
    return lambda: scene.heartbeats([LARGEST], 200)


def fail_some(scene: Scene) -> Mend:
    """Have one page fail that few ask for."""
    scene.platform.execute("ALTER TABLE reporting.announcements RENAME TO gone")
    client, asked = scene.platform.client("reporting", "national"), iter(range(10**9))

    def ask() -> None:
        client.get("/v1/releases/calendar" if next(asked) % ONE_IN == 0 else "/v1/releases")

    away = people(1, ask, pause=0.1)

    def mend() -> None:
        scene.platform.execute("ALTER TABLE reporting.gone RENAME TO announcements")
        away()
        for _ in range(10 * ONE_IN * ONE_IN):
            client.get("/v1/releases")

    return mend
