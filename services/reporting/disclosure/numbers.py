"""The numbers of a release by name, and how they moved: what the hiding, the changes and the gate speak of. Pure."""

from datetime import date
from typing import NamedTuple

from services.reporting.registry.catalogue import definition
from services.reporting.registry.indicators import Form
from services.reporting.statistics.causes import Cause


class NumberKey(NamedTuple):
    """One number of a release."""

    measure: str
    grouping: str
    period: str
    area: str


def key_of(form: Form, period: str, area: str) -> NumberKey:
    return NumberKey(form.measure, form.grouping, period, area)


class Change(NamedTuple):
    """A cell that moved between two releases, as it is."""

    measure: str
    category: str
    period: date
    authority: str
    before: int
    after: int
    why: str

    @property
    def forms(self) -> tuple[Form, ...]:
        """The sums that it tells. Where a definition changed, `measure` is the indicator, as `redefined` writes it."""
        if self.why != Cause.DEFINITION:
            return (Form(self.measure, (self.category,)),)
        part, old, new = self.category.split("/")
        found = (getattr(definition(self.measure, int(version)), part) for version in (old, new))
        return tuple(form for form in found if form is not None)
