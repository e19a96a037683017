"""The result of an extract, in numbers and in plain words."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from string import digits

from services.connect.comparing.facts import Refusal

ALL_WELL, REFUSED, CANNOT_GO_ON = 0, 1, 2
"""Exit statuses."""
_PLACES = 3
"""How many cells with the same fault are named."""
_SHOWN = 200
"""How many messages of a kind are listed singly."""

_DECIDE = (
    "Put them back, or say in the mapping what becomes of a row that is gone: `vanished: withdraw` takes back what was sent, "
    "`vanished: {ended: other}` ends the order; for a deleted date, `cleared: withdraw`."
)


@dataclass(slots=True)
class ImportResult:
    """The result of one import, or of a trial."""

    rows: Counter[str] = field(default_factory=Counter)
    """Rows by table."""
    said: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Events by name, and by what is new about them."""
    refusals: list[Refusal] = field(default_factory=list)
    held: int = 0
    """Facts that cannot be sent as they are."""
    unknown: int = 0
    """Rows whose subject cannot be determined."""
    remarks: list[str] = field(default_factory=list)
    """Remarks that are worth knowing but not faults."""
    strange: int = 0
    """Rows about an order that is not known."""
    withdrawn: dict[str, list[str]] = field(default_factory=dict)
    """Facts that are taken back since nothing states them any more, in words, by order."""
    corrected: dict[str, list[str]] = field(default_factory=dict)
    """Facts that were sent before and are stated otherwise now, in words, by order."""
    counting: dict[tuple[str, str, bool], list[str]] = field(default_factory=dict)
    """Facts that no row states any more and that still count, in words, by table, order, and whether their row is still there."""
    gone: int = 0
    """Facts that no row states any more and that still count."""
    same: int = 0
    """Rows and facts that were already known."""
    older: int = 0
    """Facts of which a later extract was imported."""
    totals: int = 0
    """Rows that only sum up others."""
    alive: bool = False
    """Whether a heartbeat is sent with it."""
    samples: dict[str, dict[str, str]] | None = None
    """Some values as they are written and as they are read, by column. None if nobody asked."""
    open_orders: int | None = None
    """For past years: orders without an end."""

    @property
    def events(self) -> int:
        return self.said.total()

    @property
    def status(self) -> int:
        return REFUSED if self.refusals else ALL_WELL

    def faults(self) -> list[tuple[str, str]]:
        """Return each fault once, as the places where it is and words about it."""
        return _gathered(self.refusals)

    def worth_knowing(self) -> list[str]:
        """Return the remarks, and for each order in a line what is gone and still counts."""
        still = []
        for (table, order, cleared), facts in self.counting.items():
            one = len(facts) == 1
            what = ("is now blank" if one else "are now blank") if cleared else "has gone" if one else "have gone"
            still.append(
                f"{table}: {_some(facts)} of order {order} {what}; {'it still counts' if one else 'they still count'}."
            )
        return [*self.remarks, *still]

    def withdrawals(self, done: bool) -> list[str]:
        """Return for each order what is taken back."""
        verb = "Withdrawn" if done else "Would be withdrawn"
        told = ((order, _some(facts)) for order, facts in self.withdrawn.items())
        return [f"{verb} of order {order}, since no row states it any more: {facts}." for order, facts in told]

    def corrections(self, done: bool) -> list[str]:
        """Return for each order what is stated otherwise than before."""
        verb = "Corrected" if done else "Would be corrected"
        return [f"{verb} for order {order}: {_some(facts)}." for order, facts in self.corrected.items()]

    def lines(self, done: bool) -> Iterator[str]:
        """Yield lines for people. `done` distinguishes what happened from what would happen."""
        yield from _told([f"{places}: {words}" for places, words in self.faults()])
        yield from _told(self.worth_knowing())
        yield from _told(self.withdrawals(done))
        yield from _told(self.corrections(done))
        read = ", ".join(f"{number_of(count, 'row')} of {table}" for table, count in self.rows.items())
        yield f"Read {read or 'nothing'}." + (
            f" {number_of(self.totals, 'row')} of totals left out." if self.totals else ""
        )
        yield (
            f"{number_of(self.events, 'event')} {'to send' if done else 'would be sent'}"
            + (", and a sign of life" if self.alive else "")
            + (":" if self.said else ".")
        )
        for (name, change), count in sorted(self.said.items()):
            yield f"{count:>9,}  {name}, {change}"
        if self.older:
            yield f"{number_of(self.older, 'fact')} left unchanged, because a later extract has them."
        if self.open_orders is not None:
            yield f"{number_of(self.open_orders, 'order')} of these years without an end: still open."
        if self.strange:
            yield (
                f"{number_of(self.strange, 'row')} {'names' if self.strange == 1 else 'name'} an order that is not known. "
                "What is said of it is sent all the same. Correct the reference, or add the order."
            )
        if self.gone:
            yield f"{number_of(self.gone, 'fact')} gone from the tables still {'counts' if self.gone == 1 else 'count'}. {_DECIDE}"
        if self.refusals:
            waiting = f"{number_of(self.held, 'fact')} and {number_of(self.unknown, 'row')}"
            yield f"{number_of(len(self.refusals), 'cell')} refused; until this is corrected, {waiting} cannot be sent."

    def shown(self) -> Iterator[str]:
        """Yield some values of each column as they are written and as they are read."""
        if self.samples:
            yield "What was read from the first rows, as it is written and as it is read:"
        for column, values in (self.samples or {}).items():
            yield f"  {column}: " + "; ".join(f"'{text}' is {read}" for text, read in values.items())


def number_of(count: int, what: str) -> str:
    """Return a number with its noun, as in `1 row` and `1,200 rows`."""
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def _gathered(refusals: list[Refusal]) -> list[tuple[str, str]]:
    """Return refusals as places and words: each fault once, with the first places in each column and in the first sheets."""
    places: dict[str, dict[str, list[str]]] = {}
    for refusal in refusals:
        columns = places.setdefault(refusal.words, {})
        columns.setdefault(refusal.place.rstrip(digits), []).append(refusal.place)
    return [(_over_sheets(columns), words) for words, columns in places.items()]


def _over_sheets(columns: dict[str, list[str]]) -> str:
    """Return the places of a fault, as in `Apr 26!E4, E5; May 26!E9; and 7 more in 2 other sheets`."""
    told = [listed(column, found) for column, found in list(columns.items())[:_PLACES]]
    rest = list(columns.values())[_PLACES:]
    more = [f"and {sum(map(len, rest)):,} more in {number_of(len(rest), 'other column')}"] if rest else []
    return "; ".join([*told, *more])


def listed(column: str, places: list[str]) -> str:
    """Return the places of a fault, as in `Orders!E4, E5, E6 and 120 more`."""
    letters = column.rpartition("!")[2]
    others = [letters + place.removeprefix(column) for place in places[1:_PLACES]]
    more = f" and {len(places) - _PLACES:,} more" if len(places) > _PLACES else ""
    return ", ".join([places[0], *others]) + more


def _some(facts: list[str]) -> str:
    """Return the first of some facts, and how many more there are."""
    more = [f"{len(facts) - _PLACES:,} more"] if len(facts) > _PLACES else []
    *first, last = [*facts[:_PLACES], *more]
    return f"{', '.join(first)} and {last}" if first else last


def _told(messages: list[str]) -> Iterator[str]:
    yield from messages[:_SHOWN]
    if len(messages) > _SHOWN:
        yield f"... and {len(messages) - _SHOWN:,} more like these."
