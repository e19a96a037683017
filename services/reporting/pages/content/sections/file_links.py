"""The addresses of a page's figures as files."""

from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from contracts.periods import add_months, quarter_months, quarter_of
from services.reporting.read.queries import Span
from services.reporting.registry.areas import SCOTLAND


@dataclass(frozen=True, slots=True)
class Downloads:
    """The addresses of a page's figures as files."""

    span: Span
    definition: int | None

    def query(self, by: str = "", authority: str = "", months: int = 0) -> str:
        """Return the query for the API. `months` asks for that many, ending with the span; quarters are asked for whole."""
        first, last = add_months(self.span.last, 1 - months) if months else self.span.first, self.span.last
        if "quarter" in by.split(","):
            last = _end_of_quarter(last)
            first = quarter_months(quarter_of(min(first, last)))[0]
        asked = {
            "from": f"{first:%Y-%m}",
            "to": f"{last:%Y-%m}",
            "by": by,
            "authority": "" if authority == SCOTLAND else authority,
            "definition": f"{self.definition or ''}",
        }
        return urlencode({name: value for name, value in asked.items() if value})


def _end_of_quarter(month: date) -> date:
    """Return the last month of the last quarter that is over with this month."""
    return add_months(month, -(month.month % 3))
