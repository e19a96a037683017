"""Has clocks count anew where a test alters a rule: they remember what they counted by it (services/*/deadlines.py)."""

from collections.abc import Iterator
from contextlib import contextmanager

from services.orders import deadlines as of_orders
from services.records.model import deadlines
from services.unpaid_work import deadlines as of_work


@contextmanager
def nothing_remembered() -> Iterator[None]:
    """Forget what was counted by other rules, before and after."""
    _forget()
    yield
    _forget()


def _forget() -> None:
    modules = (deadlines, of_orders, of_work)
    kept = [one for module in modules for one in vars(module).values() if hasattr(one, "cache_clear")]
    assert kept
    for one in kept:
        one.cache_clear()
