"""How urgent a duty is, in the words of the services and of the pages. Pure."""

from enum import StrEnum


class When(StrEnum):
    """How urgent a task is. What can still be met comes first."""

    TODAY = "today"
    SOON = "soon"
    OVERDUE = "overdue"
    ACKNOWLEDGED = "acknowledged"

    @property
    def heading(self) -> str:
        """The words above such tasks."""
        return _HEADINGS[self]


TO_DO = (When.TODAY, When.SOON, When.OVERDUE)
"""All but what needs nothing more."""
_HEADINGS = {
    When.OVERDUE: "Overdue",
    When.TODAY: "Due today",
    When.SOON: "Due in the next five working days",
    When.ACKNOWLEDGED: "Overdue and acknowledged",
}
