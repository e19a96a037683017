"""Findings about the authority itself: totals that disagree, and missing sequence numbers."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date

from sqlalchemy import Connection, text

from contracts.events import Topic
from contracts.periods import LONDON, month_of
from contracts.topics import topic_of
from services.chassis.web.words import counted
from services.records.api.order_schemas import FindingView, Today
from services.records.ingest import times
from services.records.ingest.sequences.counters import open_gaps
from services.records.ingest.sequences.numbers_used import reused_numbers
from services.records.model.findings import Rule

OwnFinding = Callable[[Connection, str, Today], Iterable[FindingView]]
OwnFindings = Mapping[str, OwnFinding]
"""Findings about the authority itself: how to look for each, by the rule's code."""

CONTROL_TOTALS = Rule(
    "control_totals",
    "A total with which the authority closed a month differs from the number counted here.",
    "Look for orders or sessions of the month that were not sent, or were sent twice under different references.",
)
GAP = Rule(
    "sequence_gap",
    "Numbers of the source's own counter that never came.",
    "Send the events with these numbers again; what had come before has no further effect.",
)
REUSED = Rule(
    "sequence_reused",
    "Numbers of the source's own counter that different events used.",
    "Let the counter go on above the highest number that the platform holds; send events that share a number again, with new numbers.",
)
RECORD_TIME = Rule(
    "record_time",
    "Records with an impossible time in Kafka: in seconds or microseconds, missing, or ahead of the clock.",
    "Let your Kafka producer set the time itself, in milliseconds. The time of reading was used; nothing is to be sent again.",
)
AUTHORITY = "-"


_STATED = text(
    "SELECT s.period, s.name, s.said, coalesce(c.counted, 0) AS counted, greatest(s.known_on, c.known_on) AS since "
    "FROM (SELECT period, substr(category, 7) AS name, sum(delta) AS said, max(known_on) AS known_on FROM cells "
    "WHERE authority = :authority AND measure = 'control_totals' GROUP BY period, category HAVING sum(delta) <> 0) s "
    "CROSS JOIN LATERAL (SELECT sum(delta) AS counted, max(known_on) AS known_on FROM cells WHERE authority = :authority "
    "AND measure = s.name AND period = s.period AND category = '') c WHERE s.name = ANY(:names) ORDER BY s.period, s.name"
)
"""There are few totals and many cells, so each cell is looked up by its name. Since: when the one or the other last changed."""
_SINCE = text(
    "SELECT period, max(known_on) FROM cells WHERE authority = :authority AND measure = 'sequence' AND category = :category "
    "AND delta > 0 GROUP BY period"
)
"""When numbers of a month last came to be missing, or to be used twice."""


def control_totals(*names: str) -> OwnFinding:
    """Return a finding that compares the authority's stated totals of these names with our cells, by month."""

    def differing(connection: Connection, authority: str, _: Today) -> Iterator[FindingView]:
        asked = {"authority": authority, "names": list(names)}
        for period, name, said, ours, since in connection.execute(_STATED, asked):
            if said != ours:
                facts, detail = (f"period/{period:%Y-%m}",), f"{name}: {said} stated, {ours} counted"
                yield FindingView.about(AUTHORITY, CONTROL_TOTALS, period, since=since, facts=facts, detail=detail)

    return differing


def gaps(connection: Connection, authority: str, _: Today) -> Iterator[FindingView]:
    """Yield the gaps in the counters of the authority's sources, at most a thousand."""
    since = _since(connection, authority, "missing")
    for system, gap in open_gaps(connection, authority):
        numbers = f"{gap.first}" if gap.size == 1 else f"{gap.first} to {gap.last}"
        detail = f"{_source(authority, system)}: {numbers}"
        yield FindingView.about(AUTHORITY, GAP, gap.month, since=since.get(gap.month, gap.month), detail=detail)


def reused(connection: Connection, authority: str, _: Today) -> Iterator[FindingView]:
    """Yield every number that was used twice."""
    since = _since(connection, authority, "reused")
    for system, number, month in reused_numbers(connection, authority):
        detail = f"{_source(authority, system)}: {number}"
        yield FindingView.about(AUTHORITY, REUSED, month, since=since.get(month, month), detail=detail)


def _since(connection: Connection, authority: str, category: str) -> dict[date, date]:
    """Return the day of the latest such number, by the month to which it belongs."""
    rows = connection.execute(_SINCE, {"authority": authority, "category": category})
    return {row[0]: row[1] for row in rows}


def _source(authority: str, system: str) -> str:
    return f"/authorities/{authority}" + (f"/systems/{system}" if system else "")


def record_times(kind: Topic) -> OwnFinding:
    """Return a finding about records of the authority that arrived with impossible times."""

    def replaced(connection: Connection, authority: str, _: Today) -> Iterator[FindingView]:
        topic = topic_of(kind, authority)
        told = times.told(connection, topic)
        if told is not None:
            detail = f"{counted(told.number, 'record')} of {topic}, offsets {told.first} to {told.last}"
            day = told.used.astimezone(LONDON).date()
            yield FindingView.about(AUTHORITY, RECORD_TIME, month_of(day), since=day, detail=detail)

    return replaced
