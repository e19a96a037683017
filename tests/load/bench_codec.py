"""How many events one core decodes and validates in a second: `python -m tests.load.bench_codec`.

Lines of the scenario, refused ones among them, as a worker or an API gets them. Counted in processor time, so that what else
the machine does weighs little; the best of several rounds, since anything else only slows it down.
"""

import gc
import json
import sys
import time
from collections.abc import Callable

from contracts.decoding.codec import Event, decode
from contracts.events import Topic
from contracts.generate.samples import ARRIVED
from contracts.rejections import Rejection
from tests.support import scenario

TARGET = 150_000
ROUNDS, REPEATS = 12, 5


def judge(raw: bytes, topic: Topic, authority: str) -> Event | Rejection:
    return decode(raw, topic, authority, ARRIVED)


def rate(work: Callable[[bytes, Topic, str], object], lines: list[tuple[bytes, Topic, str]]) -> float:
    """Return lines a second."""
    best = float("inf")
    gc.collect()
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(REPEATS):
            for raw, topic, authority in lines:
                work(raw, topic, authority)
        best = min(best, time.process_time() - began)
    return len(lines) * REPEATS / best


def main() -> int:
    """Print the figures. Returns 1 where the target is missed."""
    lines = [(raw, topic, authority) for topic, authority, found in scenario.topics() for raw in found]
    good = [line for line in lines if not isinstance(judge(*line), Rejection)]
    plain = rate(lambda raw, *_: json.loads(raw), good)
    accepted, mixed = rate(judge, good), rate(judge, lines)
    size = sum(len(raw) for raw, _, _ in lines) / len(lines)
    print(f"{len(lines)} lines of {size:.0f} bytes on average, {len(lines) - len(good)} of them refused")
    print(f"json.loads, which checks nothing      {plain:>9,.0f} events/s")
    print(f"decode, accepted events               {accepted:>9,.0f} events/s   {accepted / plain:.2f} times json.loads")
    print(f"decode, refused ones among them       {mixed:>9,.0f} events/s   {mixed / TARGET:.2f} times the target")
    return 0 if mixed >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
