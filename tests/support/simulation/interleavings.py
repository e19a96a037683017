"""Tries one interleaving after another, each decided by its seed alone, and checks after every step that every promise holds."""

import gc
import logging
from bisect import bisect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from unittest.mock import patch

from services.chassis.streaming import engine
from tests.support.simulation.loop import Pauses
from tests.support.simulation.node import Build, Node, Place
from tests.support.simulation.world import World

SOURCES = ("orders.events.S12000005", "orders.events.S12000036")
SETTLED = 4
"""That nothing wrong happens is checked after every step; that all is right in the end takes twice as long, so only at every fourth."""
SETTLING = 200
TOLD = 0.3
IMPATIENT = 0.3
GARBAGE = 200
"""After how many interleavings the cycles that they left are collected: looking for them all the time takes a fifth of the time."""


class Interleaving:
    """Two workers, two sources, a few messages."""

    def __init__(self, seed: int, build: Build, profile: "Profile") -> None:
        self.seed, self.random = seed, Random(seed)
        self.build, self.profile = build, profile
        self.world = World(self.random, SOURCES)
        for source in SOURCES:
            self.world.ends[source] = 5
        self.nodes = [self._node(rules) for rules in range(2)]

    def run(self) -> list[str]:
        """Return what went wrong; nothing if all is well."""
        try:
            for node in self.nodes:
                node.assign(SOURCES)
                node.drain()
            for _ in range(self.profile.steps):
                self._step()
                if self.world.wrong:
                    return self.world.wrong
            if self.seed % SETTLED:
                return []
            self._settle()
            return self.world.wrong or list(self._missing())
        finally:
            Pauses.wanted = True
            for node in self.nodes:
                node.close()

    def _node(self, rules: int) -> Node:
        """Make a worker with rules of its own, as while a new version is rolled out: both want to count again."""
        return Node(self.world, rules, self.build)

    def _step(self) -> None:
        node = self.nodes[self.random.random() < 0.5]
        if node.frozen:
            FROZEN.pick(self.random)(self, node)
        else:
            self.profile.awake.pick(self.random)(self, node)
            node.drain()

    def _settle(self) -> None:
        """Stop causing faults: from here on, everything must come right by itself."""
        self.world.faults = Pauses.wanted = False
        while self.world.turns:
            self.world.end_turn(next(iter(self.world.turns)))
        for node in self.nodes:
            node.frozen = False
        for node, source in zip(self.nodes, SOURCES, strict=True):
            node.assign([source])
        for number in range(SETTLING):
            node = self.nodes[number % 2]
            if self.random.random() < IMPATIENT:
                node.fire()
                node.drain()
            while node.step_thread() or node.answer() or node.deliver() or node.fetch() or node.publish():
                node.drain()
            if self.world.wrong or self._settled():
                return
            node.fire()
            node.drain()

    def _settled(self) -> bool:
        world = self.world
        return world.counts == world.ends and world.published == world.versions and not any(map(_busy, self.nodes))

    def _missing(self) -> Iterator[str]:
        for source in SOURCES:
            held = self.world.counts[source], self.world.versions[source]
            if held[0] != self.world.ends[source]:
                yield f"of {source} {held[0]} of {self.world.ends[source]} were taken"
        for key, seen in self.world.seen.items():
            authority = key.split("|")[2 if key.startswith("position") else 1]
            if seen[-1][1] != self.world.versions[authority]:
                yield f"the log keeps {seen[-1]} of {key}, and {self.world.versions[authority]} is held"

    # What may happen

    def _rebalance(self, _: Node | None = None) -> None:
        """Let the group share the sources out among the members that it knows to live. One that it cannot reach continues as before."""
        awake = [node for node in self.nodes if not node.frozen] or self.nodes
        shares: dict[int, list[str]] = {id(node): [] for node in awake}
        for source in SOURCES:
            shares[id(self.random.choice(awake))].append(source)
        for node in awake:
            if self.random.random() < TOLD:
                node.assign(shares[id(node)])
                node.drain()

    def _take_over(self, node: Node) -> None:
        """Let the group give one worker everything; the other is not reached, and continues as before."""
        node.assign(SOURCES)

    def _freeze(self, node: Node) -> None:
        node.frozen = True
        if self.random.random() < 0.7:
            self._rebalance()

    def _thaw(self, node: Node) -> None:
        node.frozen = False
        if self.random.random() < 0.5:
            self._rebalance()

    def _crash(self, node: Node) -> None:
        place = self.nodes.index(node)
        node.close()
        self.nodes[place] = self._node(place)
        self._rebalance()

    def _arrive(self, _: Node) -> None:
        source = self.random.choice(SOURCES)
        self.world.ends[source] += 1

    def _end_session(self, _: Node) -> None:
        if self.world.turns:
            self.world.end_turn(self.random.choice(sorted(self.world.turns)))

    def _time_out(self, node: Node) -> None:
        if self.world.open:
            node.producer.abort(self.random.choice(self.world.open))


def _busy(node: Node) -> bool:
    return node.changing or node.taking or bool(node.publishing.waiting)


AS_IT_IS = Build()
Happening = Callable[[Interleaving, Node], object]


class Happenings:
    """Everything that may happen next, each as often as its weight says."""

    def __init__(self, weighed: Mapping[Happening, float]) -> None:
        self._all, self._upto = list(weighed), list(accumulate(weighed.values()))

    def pick(self, random: Random) -> Happening:
        return self._all[bisect(self._upto, random.random() * self._upto[-1])]


def _deliver_or_fetch(_: Interleaving, node: Node) -> None:
    if not node.deliver():
        node.fetch()


WORK: dict[Happening, float] = {
    lambda _, node: node.step_thread(): 30,
    _deliver_or_fetch: 25,
    lambda _, node: node.fetch(): 10,
    lambda _, node: node.answer(): 8,
    lambda _, node: node.fire(): 5,
    lambda _, node: node.measure(): 3,
}
FROZEN = Happenings({Interleaving._thaw: 3, Interleaving._end_session: 3, Interleaving._time_out: 1})


@dataclass(frozen=True)
class Profile:
    """Which kind of trouble is sought, and how long."""

    steps: int
    awake: Happenings


MIXED = Profile(
    60,
    Happenings(
        WORK
        | {
            lambda _, node: node.publish(): 25,
            Interleaving._rebalance: 2,
            Interleaving._take_over: 1,
            Interleaving._arrive: 4,
            Interleaving._freeze: 2,
            Interleaving._crash: 1,
            Interleaving._end_session: 1,
            Interleaving._time_out: 0.5,
        }
    ),
)
"""Everything, including publishing."""
CROWDED = Profile(200, Happenings(WORK | {Interleaving._take_over: 1.5, Interleaving._arrive: 8}))
"""Two workers that both believe that they own everything, for long."""


@contextmanager
def quiet() -> Iterator[None]:
    """Suppress warnings, which every interleaving causes: writing them takes longer than trying it."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    gc.disable()
    gc.freeze()  # older objects are not looked through again and again
    try:
        with patch.object(engine, "ThreadPoolExecutor", Place):
            yield
    finally:
        gc.unfreeze()
        gc.enable()
        logging.disable(before)


def first_wrong(seeds: range, build: Build = AS_IT_IS, profile: Profile = MIXED) -> tuple[int, list[str]] | None:
    """Return the first seed whose interleaving breaks a promise, with what is wrong."""
    with quiet():
        for seed in seeds:
            wrong = Interleaving(seed, build, profile).run()
            if wrong:
                return seed, wrong
            if seed % GARBAGE == 0:
                gc.collect()
    return None
