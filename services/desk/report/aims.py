"""The sections about improvement aims: what was changed, and whether what followed is more than chance explains."""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import dropwhile

from contracts.periods import add_months
from services.chassis.web import words
from services.desk.report.chance import Share, compared, found
from services.desk.report.figures import Row, Series, percent, share_of
from services.desk.report.model import Aim, Chart, Section, Table, Told

MONTHS_BEFORE = 12
"""How many months before a change the months after it are compared with."""


def aims(told: Told) -> Iterator[Section]:
    """Yield what was changed for each aim, and what followed; then each aim month by month."""
    yield Section("Improvement aims", [_of_aim(told, aim) for aim in told.aims])
    for aim in told.aims:
        series = _series_of(told, aim)
        if series is not None and (rows := _rows(series, told.authority, aim.since)):
            yield _by_month(series, aim, rows)


def _series_of(told: Told, aim: Aim) -> Series | None:
    return next((one for name, one in told.months.items() if name.startswith(aim.standard)), None)


def _rows(series: Series, authority: str, since: date) -> list[Row]:
    """Return the authority's own figures from a year before the change, or from the first that there is."""
    earliest = add_months(since.replace(day=1), -MONTHS_BEFORE)
    rows = (row for row in series.rows if row.authority == authority and _month(row) >= earliest)
    return list(dropwhile(lambda row: share_of(row) is None, rows))


def _month(row: Row) -> date:
    return date.fromisoformat(f"{row.period}-01")


def _by_month(series: Series, aim: Aim, rows: Sequence[Row]) -> Section:
    title = series.indicator.title
    shares = [share_of(row) for row in rows]
    cells = [
        (words.month_name(_month(row)), *((words.number(s.met), words.number(s.of)) if s else ("", "")), percent(row))
        for row, s in zip(rows, shares, strict=True)
    ]
    points = [
        (f"{_month(row):%m/%y}", s.percent if s else None, row.provisional) for row, s in zip(rows, shares, strict=True)
    ]
    since = next((n for n, row in enumerate(rows) if _month(row) >= aim.since.replace(day=1)), None)
    day = words.long_date(aim.since)
    lines = f"The line across is the aim of {aim.target} %, the line down the change from {day}."
    chart = Chart(f"{title} by month", lines, points, aim.target, since)
    table = Table(chart.title, ("Month", "Met", "Of", "Share"), cells)
    return Section(f"Towards the aim: {title[:1].lower()}{title[1:]}", [], table, chart)


def _of_aim(told: Told, aim: Aim) -> str:
    series = _series_of(told, aim)
    title = series.indicator.title if series else aim.standard
    said = f"{title}: {aim.change}, from {words.long_date(aim.since)}, with the aim of {aim.target} %."
    if series is None:
        return said
    before, after = before_and_after(series, told.authority, aim.since)
    if before is None or after is None:
        return f"{said} There is no figure before or after it yet to compare."
    reached = "reached" if after.percent >= aim.target else "not reached"
    return (
        f"{said} In the {MONTHS_BEFORE} months before it was {before.percent:.1f} %, since then {after.percent:.1f} %"
        f"{_left_out(series, told.authority, aim.since)}: "
        f"{found(compared(before, after))}. The aim is {reached}."
    )


def _left_out(series: Series, authority: str, since: date) -> str:
    """Return which months after the change are not counted yet, as in `, without November 2026, which can still change`."""
    months = [_month(row) for row in _rows(series, authority, since) if row.provisional and share_of(row)]
    names = [words.month_name(month) for month in months if month >= since.replace(day=1)]
    return f", without {words.listed(names)}, which can still change" if names else ""


def before_and_after(series: Series, authority: str, since: date) -> tuple[Share | None, Share | None]:
    """Return the share in the months before a change, and from its month on; provisional months are left out."""
    shares: dict[bool, list[Share]] = {False: [], True: []}
    for row in _rows(series, authority, since):
        share = share_of(row)
        if share is not None and not row.provisional:
            shares[_month(row) >= since.replace(day=1)].append(share)
    return _sum(shares[False]), _sum(shares[True])


def _sum(shares: Sequence[Share]) -> Share | None:
    of = sum(share.of for share in shares)
    return Share(sum(share.met for share in shares), of) if of else None
