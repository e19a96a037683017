"""The findings of the measurement, for each way to protect figures."""

from collections import defaultdict
from collections.abc import Iterable
from math import sqrt

from tests.disclosure.attack import Values
from tests.disclosure.tables import Numbers

ERROR = "standard deviation of "


class Findings:
    """Shares, means and standard deviations, each of many numbers."""

    def __init__(self) -> None:
        self._found: defaultdict[tuple[str, str], list[float]] = defaultdict(list)

    def add(self, option: str, what: str, values: Iterable[float]) -> None:
        """Add one value for each truth or amount that was looked at: for a standard deviation, squared errors."""
        self._found[option, what] += map(float, values)

    def join(self, other: "Findings") -> None:
        """Take what was found elsewhere."""
        for name, values in other._found.items():
            self._found[name] += values

    def __str__(self) -> str:
        return "\n".join(self._line(*name, values) for name, values in sorted(self._found.items()) if values)

    @staticmethod
    def _line(option: str, what: str, values: list[float]) -> str:
        mean = sum(values) / len(values)
        shown = sqrt(mean) if what.startswith(ERROR) else mean
        return f"{option:<22} {what:<70} {shown:7.3f} of {len(values):,}"


def errs(option: str, of: Numbers, values: Values, shown: Values, found: Findings) -> None:
    """Note how far the numbers shown are from the truth, and whether they add up."""
    for kind, error in zip(of.kinds, shown - values, strict=True):
        found.add(option, f"{ERROR}{kind}", [error**2])
    found.add(option, "sums that do not add up", (shown[parts].sum() != shown[whole] for whole, parts in of.sums))
