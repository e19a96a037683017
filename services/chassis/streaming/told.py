"""When the latest event of a publication happened, beside its position: a header, for a metric only, which older readers need not know."""

from collections.abc import Sequence

HEADER = "payback-told"
LONGEST = 13
"""Digits of milliseconds until the year 2286."""


def header(at: float) -> tuple[str, bytes]:
    """Return the header for a moment in seconds since 1970."""
    return HEADER, str(max(0, round(at * 1000))).encode()


def told_in(headers: Sequence[tuple[str, bytes | None]]) -> float | None:
    """Return the moment among a message's headers; None where there is none that could be one."""
    text = next((content for name, content in headers if name == HEADER), None)
    return int(text) / 1000 if text and len(text) <= LONGEST and text.isdigit() else None
