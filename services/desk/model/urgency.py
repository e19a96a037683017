"""How urgent a duty is, in the words of the services and of the pages. Pure."""

from enum import StrEnum


class When(StrEnum):
    """How urgent a task is. Tasks that can still be met come first."""

    TODAY = "today"
    SOON = "soon"
    PAST_TARGET = "past_target"
    """Past the authority's own target, while the national date lies further ahead than the list of what is due soon."""
    OVERDUE = "overdue"
    ACKNOWLEDGED = "acknowledged"

    @property
    def heading(self) -> str:
        """Return the heading above such tasks."""
        return _HEADINGS[self]


TO_DO = (When.TODAY, When.SOON, When.PAST_TARGET, When.OVERDUE)
"""Every urgency that calls for action."""
_HEADINGS = {
    When.OVERDUE: "Overdue",
    When.TODAY: "Due today",
    When.SOON: "Due in the next five working days",
    When.PAST_TARGET: "Past our own target",
    When.ACKNOWLEDGED: "Overdue and acknowledged",
}
