"""Where a page of a list begins: the key of the last row of the page before, as text."""

from datetime import date

from services.chassis.problems import Problem


def page_key(*parts: object) -> str:
    return " ".join(map(str, parts))


def after_day(text: str | None, parts: int) -> tuple[date, list[str]] | None:
    """A key that begins with a day. Raises Problem 422 for what no page gave."""
    if text is None:
        return None
    day, *rest = text.split(" ")
    try:
        begin = date.fromisoformat(day)
    except ValueError:
        rest = []
    if len(rest) != parts - 1:
        raise Problem(422, "`after` is not the `next` of a page")
    return begin, rest
