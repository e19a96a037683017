"""Memory of processes that hold very many small objects."""

import gc

YOUNG, MIDDLE, OLD = 100_000, 50, 50


def collect_seldom() -> None:
    """Looks for cycles of garbage seldom: what a worker holds has none, and looking took a quarter of its time (measured)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
