"""The place at which a page of a list begins: the key of the last row of the previous page, as text."""

import re
from datetime import date
from typing import Annotated

from fastapi import Query
from pydantic import BeforeValidator, StringConstraints

from services.chassis.api.problems import Problem

Word = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$")]
"""Text without control characters: no id or reference has them, and PostgreSQL refuses the first of them."""


def _written_out(value: object) -> object:
    """Refuse a number as a day: it would be read as seconds since 1970."""
    if not isinstance(value, date) and not (isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value)):
        raise ValueError("write a day as YYYY-MM-DD")
    return value


Day = Annotated[date, BeforeValidator(_written_out)]
After = Annotated[Word | None, Query(description="`next` of the page before")]


def page_key(*parts: object) -> str:
    return " ".join(map(str, parts))


def after_day(text: str | None, parts: int) -> tuple[date, list[str]] | None:
    """Read a key that begins with a day. Raises Problem 422 for a key that no page gave."""
    if text is None:
        return None
    day, *rest = text.split(" ")
    try:
        begin = date.fromisoformat(day)
    except ValueError:
        rest = []
    if len(rest) != parts - 1:
        raise Problem(422, "`after` must be the `next` of an earlier page")
    return begin, rest
