"""Engine and publisher in interleavings that seeds decide: nothing is skipped, doubled, left or overwritten by what is older.

Once with what is there, and once with each mend taken out, which must be seen.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping

import pytest

from services.chassis.streaming.batches import Slice, SourceIdentity, TopicPartition
from services.chassis.streaming.engine import Ending, StreamEngine
from services.records.ingest.publishing.publisher import Publisher
from tests.support.simulation.interleavings import CROWDED, MIXED, Interleaving, Profile, first_wrong, quiet
from tests.support.simulation.node import Build, Processor
from tests.support.simulation.world import SimulatedPublications, SimulatedTurn

ENOUGH = range(2_000)


class OnceFenced(StreamEngine):
    """As it was: what was fetched ahead still counts when going back was fenced, too."""

    async def _start_over(self, *, missing: bool = False) -> None:
        await self.persist(lambda: self._go_back(missing=missing))

    def _joins(self, slices: Iterable[Slice]) -> bool:  # noqa: ARG002
        return True


class Uncut(StreamEngine):
    """As it was: what is asked while owners change is answered all the same, later than what was asked after."""

    async def persist(self, work: Callable[[], Awaitable[object]], *, cut: bool = False) -> Ending:  # noqa: ARG002
        return await super().persist(work)


class Claiming(Processor):
    """As it was: believes what it claimed, whatever becomes of the recount."""

    def start(self, sources: Mapping[TopicPartition, SourceIdentity]) -> Mapping[TopicPartition, int]:
        self.positions = self._claim(sources)
        self._recount()
        return {source: self.positions[source.topic] for source in sources}


class Hasty(Publisher):
    """As it was: reads, sends and records, with nobody's leave."""

    def _publish(self, authorities: Collection[str]) -> int:
        assert isinstance(self._publications, SimulatedPublications)
        world = self._publications.world
        turn = SimulatedTurn(world, list(authorities))
        self._send(turn.rows())
        self._send(turn.positions())
        for name, (version, _) in turn.held.items():
            world.published[name] = max(version, world.published[name])
        return 1


class Unconfirmed(Publisher):
    """With a turn and a transaction, but without asking whether the turn was lost."""

    def _publish(self, authorities: Collection[str]) -> int:
        with self._publications.turn(authorities) as turn:
            with self._producer.transaction():
                self._send(turn.rows())
                self._send(turn.positions())
            turn.record()
        return 1


@pytest.mark.parametrize(("profile", "seeds"), [(MIXED, range(1_000)), (CROWDED, range(250))], ids=["mixed", "crowded"])
def test_no_interleaving_loses_doubles_or_overwrites(profile: Profile, seeds: range) -> None:
    assert first_wrong(seeds, profile=profile) is None


@pytest.mark.parametrize(
    ("build", "profile", "says"),
    [
        (Build(engine=OnceFenced, processor=Claiming), CROWDED, "came"),
        (Build(engine=Uncut), MIXED, "were taken"),
        (Build(publisher=Hasty), MIXED, "goes back"),
        (Build(publisher=Unconfirmed), MIXED, "goes back"),
    ],
    ids=[
        "fenced while it asks",
        "asked before owners changed",
        "sends what it read long ago",
        "does not ask whether its turn was lost",
    ],
)
def test_a_mend_taken_out_is_seen(build: Build, profile: Profile, says: str) -> None:
    found = first_wrong(ENOUGH, build, profile)
    assert found is not None
    assert says in " ".join(found[1]), found


def test_a_seed_decides_everything() -> None:
    def trace(seed: int) -> tuple[object, ...]:
        one = Interleaving(seed, Build(), MIXED)
        with quiet():
            assert one.run() == []
        return one.world.seen, one.world.versions, one.random.random()

    assert [trace(seed) for seed in range(20)] == [trace(seed) for seed in range(20)]
