"""How urgent a duty is, in the words of the services and of the pages. Pure."""

from enum import StrEnum


class When(StrEnum):
    """How urgent a task is. Tasks that can still be met come first."""

    TODAY = "today"
    SOON = "soon"
    OVERDUE = "overdue"
    ACKNOWLEDGED = "acknowledged"

    @property
    def heading(self) -> str:
        """Return the heading above such tasks."""
        return _HEADINGS[self]


TO_DO = (When.TODAY, When.SOON, When.OVERDUE)
"""Every urgency that calls for action."""
_HEADINGS = {
    When.OVERDUE: "Overdue",
    When.TODAY: "Due today",
    When.SOON: "Due in the next five working days",
    When.ACKNOWLEDGED: "Overdue and acknowledged",
}
