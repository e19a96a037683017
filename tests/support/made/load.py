"""Load from simulated authorities: their events in portions, the answers at the intake, and the results that must follow."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

import httpx

from contracts.events import Topic
from contracts.topics import authority_of, topic_of
from services.simulate.nation import Simulation
from services.simulate.telling.sending import Delivery
from tests.support.processes import Cells, Platform

SERVICE_OF = {Topic.ORDERS: "orders", Topic.UNPAID_WORK: "unpaid_work"}
OUTCOMES = ("applied", "superseded", "duplicate", "rejected")
FIRST_FREE_DAY = date(2026, 3, 1)


class Load:
    """The events of these authorities, and the results that must be shown. No two loads on one platform may share an authority."""

    def __init__(self, authorities: Sequence[str], months: int = 3, seed: int = 7) -> None:
        self.authorities = authorities
        simulation = Simulation(seed, months, FIRST_FREE_DAY, authorities)
        self.deliveries = list(simulation.deliveries())
        truth = simulation.truth()
        self.cells, self.outcomes = truth["cells"], truth["outcomes"]
        self.receipts: dict[tuple[str, int], str] = {}
        """By topic and offset, the id of the event that was answered 202."""
        self._topics = {topic_of(kind, code) for kind in Topic for code in authorities}

    def pieces(self, number: int) -> list[list[Delivery]]:
        """Return all events in so many portions, in order of arrival."""
        size = -(-len(self.deliveries) // number)
        return [self.deliveries[begin : begin + size] for begin in range(0, len(self.deliveries), size)]

    def post(self, platform: Platform, deliveries: Iterable[Delivery]) -> None:
        """Send events as lines, each topic by itself. Every answer must be 202, or 422 if nothing is acceptable."""
        lines: dict[str, list[bytes]] = defaultdict(list)
        for delivery in deliveries:
            lines[delivery.topic].append(delivery.value)
        for topic, values in lines.items():
            answer = self.try_post(platform, topic, values)
            assert answer.status_code in {202, 422}, answer.text

    def try_post(self, platform: Platform, topic: str, values: Sequence[bytes]) -> httpx.Response:
        """Send lines; whatever the answer is, its receipts count."""
        service = SERVICE_OF[Topic(topic.rpartition(".")[0])]
        answer = platform.post(service, authority_of(topic), b"\n".join(values))
        for receipt in answer.json().get("receipts", ()):
            self.receipts[receipt["topic"], receipt["offset"]] = receipt["id"]
        return answer

    def wait_until_shown(self, platform: Platform) -> None:
        """Return when reporting shows everything that Kafka keeps."""
        platform.wait_until_shown(self._last(platform))

    def left(self, platform: Platform) -> int:
        """Return how many events Kafka keeps that are not shown yet."""
        return sum(platform.not_shown(self._last(platform)).values())

    def _last(self, platform: Platform) -> dict[str, int]:
        return {f"{topic}/0": end - 1 for topic, end in platform.ends(self._topics).items() if end}

    # What must hold when all has been handed over and is shown

    def assert_counted(self, platform: Platform) -> None:
        """Check every cell that the truth has."""
        spoken = {_dimension(key) for key in self.cells}
        found = {key: n for key, n in platform.cells(self.authorities).items() if _dimension(key) in spoken}
        assert found == self.cells

    def assert_once(self, platform: Platform) -> None:
        """Check that each offset has exactly one outcome, and that each receipt holds."""
        ends = platform.ends(self._topics)
        for kind, service in SERVICE_OF.items():
            rows = platform.rows(
                f'SELECT authority, "offset", event_id, outcome FROM {service}.arrivals WHERE authority = ANY(%s)',
                list(self.authorities),
            )
            arrived = {(f"{kind}.{authority}", offset): event for authority, offset, event, _ in rows}
            assert len(arrived) == len(rows), "an offset was taken twice"
            ours = {(topic, at) for topic, end in ends.items() for at in range(end) if topic.startswith(kind)}
            assert arrived.keys() == ours
            kept = {at: event for at, event in self.receipts.items() if at[0].startswith(kind)}
            assert {at: arrived[at] for at in kept} == kept

    def assert_outcomes(self, platform: Platform) -> None:
        """Check that the outcomes of events add up as the truth says. Only if none was sent twice."""
        found: dict[str, int] = defaultdict(int)
        for service in SERVICE_OF.values():
            query = f"SELECT outcome, count(*) FROM {service}.arrivals WHERE authority = ANY(%s) GROUP BY 1"
            for outcome, number in platform.rows(query, list(self.authorities)):
                found[OUTCOMES[outcome]] += number
        assert found == {outcome: self.outcomes[outcome] for outcome in OUTCOMES if self.outcomes.get(outcome)}

    def assert_reporting_equal(self, platform: Platform) -> None:
        """Check that reporting shows exactly what the services hold, whatever the measure."""
        held: Cells = defaultdict(int)
        for service in SERVICE_OF.values():
            query = (
                f"SELECT measure, authority, period::text, category, sum(delta)::bigint FROM {service}.cells "
                "WHERE authority = ANY(%s) GROUP BY 1, 2, 3, 4"
            )
            for *key, value in platform.rows(query, list(self.authorities)):
                held["|".join(key)] += value
        assert platform.cells(self.authorities) == {key: value for key, value in held.items() if value}


def _dimension(key: str) -> tuple[str, str]:
    measure, _, _, category = key.split("|")
    return measure, category.partition("=")[0]
