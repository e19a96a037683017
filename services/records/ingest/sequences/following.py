"""The numbers of sources that came with a batch, and what they change, pure: counters, gaps, marks of the numbers used, and cells."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from contracts.decoding.codec import Event
from contracts.decoding.envelope import MAX_SEQUENCE
from contracts.periods import month_of
from services.records.ingest.envelopes import read_envelope
from services.records.ingest.sequences.sequence import Bearer, Blocks, Gap, Numbers, find_reused, receive
from services.records.model.deadlines import Cells, add
from services.records.model.fold import Arrival, local_day

SourceKey = tuple[str, str]
"""Authority and system; the system is empty if the source names none."""
Came = dict[SourceKey, dict[date, list[tuple[int, date]]]]
"""By source and the day on which they became known: numbers, with the month of their event."""
HIGHEST = MAX_SEQUENCE + 1


@dataclass(frozen=True, slots=True)
class Followed:
    """The changes of a batch."""

    cells: dict[str, dict[date, Cells]] = field(default_factory=dict)
    """Changes of cells, by authority and the day on which they became known."""
    highest: dict[SourceKey, int] = field(default_factory=dict)
    """The highest number of each source of which something came."""
    gone: list[tuple[SourceKey, Gap]] = field(default_factory=list)
    """Gaps that were filled, or split."""
    new: list[tuple[SourceKey, Gap]] = field(default_factory=list)
    reused: list[Bearer] = field(default_factory=list)
    """Events whose number another event used before, each number once."""
    marks: Blocks = field(default_factory=dict)
    """The blocks of marks that changed."""


def numbers_in(arrivals: Mapping[str, Iterable[Arrival]]) -> tuple[Came, list[Bearer]]:
    """Return the numbers of all events that came, of refused ones as far as they can be read, and the accepted events that have one."""
    came: Came = {}
    bearers: list[Bearer] = []
    for authority, arrived in arrivals.items():
        for arrival in arrived:
            content = arrival.content
            found = _of_event(content) if isinstance(content, Event) else _of_refused(arrival, authority)
            if found is None:
                continue
            system, number, month = found
            came.setdefault((authority, system), defaultdict(list))[arrival.day].append((number, month))
            if isinstance(content, Event):
                bearers.append(Bearer((authority, system, number), content.id, month, arrival.day))
    return came, bearers


def _of_event(event: Event) -> tuple[str, int, date] | None:
    if event.sequence is None or event.sequence >= HIGHEST:
        return None
    return event.system or "", event.sequence, month_of(local_day(event.time))


def _of_refused(arrival: Arrival, authority: str) -> tuple[str, int, date] | None:
    envelope = read_envelope(arrival.message.value)
    system = None if envelope is None else envelope.system_of(authority)
    if envelope is None or system is None or not 0 < envelope.number < HIGHEST:
        return None
    return system, envelope.number, month_of(min(local_day(envelope.time), arrival.day))


def follow(known: Mapping[SourceKey, Numbers], came: Came, marks: Blocks, bearers: Iterable[Bearer]) -> Followed:
    """Decide what the numbers change. `known` has the counter of every source in `came`, with the gaps in which something arrived, and
    `marks` every block of `bearers`; neither is changed.
    """
    followed = Followed()
    for source, by_day in came.items():
        after = Numbers(known[source].highest, list(known[source].gaps))
        for day, numbers in sorted(by_day.items()):
            cells = _cells_of(followed, source[0], day)
            for (month, category), step in receive(after, numbers).items():
                add(cells, "sequence", month, category, step)
        _compare(followed, source, known[source], after)
    _find_reused(followed, marks, bearers)
    return followed


def _cells_of(followed: Followed, authority: str, day: date) -> Cells:
    return followed.cells.setdefault(authority, {}).setdefault(day, {})


def _compare(followed: Followed, source: SourceKey, before: Numbers, after: Numbers) -> None:
    had, has = set(before.gaps), set(after.gaps)
    followed.highest[source] = after.highest
    followed.gone.extend((source, gap) for gap in before.gaps if gap not in has)
    followed.new.extend((source, gap) for gap in after.gaps if gap not in had)


def _find_reused(followed: Followed, marks: Blocks, bearers: Iterable[Bearer]) -> None:
    after = {block: bytearray(before) for block, before in marks.items()}
    for bearer in find_reused(bearers, after):
        followed.reused.append(bearer)
        add(_cells_of(followed, bearer.number[0], bearer.day), "sequence", bearer.month, "reused", 1)
    followed.marks.update({block: held for block, held in after.items() if held != marks[block]})
