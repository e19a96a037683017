"""The differences between the two services of records, pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from contracts.cells import Service
from contracts.events import Topic
from services.records.model.calendar import Calendar
from services.records.model.counting import Counted, Counting
from services.records.model.deadlines import Cells
from services.records.model.people import Stay
from services.records.model.record import Record


@dataclass(frozen=True, slots=True)
class Domain:
    """Everything that distinguishes one service of records from the other."""

    service: Service
    kinds: tuple[Topic, ...]
    """The topics of each authority that it reads."""
    own: Topic
    """The topic for whose events it accounts: outcomes, rejections and arrivals."""
    holds: Callable[[str], bool]
    """Whether a fact key is part of this service's records."""
    counting: Counting[Any]
    stay: Callable[[Any], Stay | None]
    """Gives the order in a view as one of its person's; None if the service does not count people."""
    stay_keys: frozenset[str]
    """The fact keys on which `stay` depends."""
    calendar: Calendar
    rules: str
    """The version of the rules: cells counted by another version are counted again."""

    local: Mapping[str, Calendar] = field(default_factory=dict)
    """The calendars of authorities with closed days of their own."""

    @property
    def follows_counters(self) -> bool:
        """Return whether the service reads both topics of an authority, over which a source's counter runs."""
        return set(self.kinds) == set(Topic)

    def of(self, authority: str) -> "Domain":
        """Return the domain with the authority's own calendar."""
        calendar = self.local.get(authority)
        if calendar is None:
            return self
        return replace(self, calendar=calendar, rules=f"{self.rules} {calendar.version}", local={})

    def stay_of(self, record: Record) -> Stay | None:
        """Return the order as one of its person's."""
        return self.stay(self.counting.view(record))

    def contributions(self, record: Record) -> Cells:
        """Return the cells in which a record counts."""
        return self.counting.contributions(record, self.calendar)

    def counted(self, record: Record) -> Counted:
        """Return the record with its cells."""
        return self.counting.counted(record, self.calendar)
