"""Turns the rows of one table into statements. An unchanged row costs next to nothing."""

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from itertools import islice
from typing import NamedTuple

from msgspec.structs import replace

from contracts.client import NotAcceptable, Source
from contracts.decoding.codec import encode_data
from contracts.events import Fact, OrderImposed
from contracts.rejections import Reason
from services.connect.comparing.difference import is_newest
from services.connect.comparing.facts import Blank, Held, Ignored, Item, Noted, Reader, Refusal, Said, Unknown
from services.connect.comparing.follow import event_of
from services.connect.comparing.former import known_key
from services.connect.extracts.cells import Grid
from services.connect.extracts.columns import Row, found_headings, spread
from services.connect.mapping.model import Cell, Heading, Mapping, Table, Value, value_of
from services.connect.moments import in_words, micros
from services.connect.result import ImportResult
from services.connect.state import BY_STATEMENT, CLEARED, HELD, State, Statement

_AT_ONCE = 500
_VERSION = 5
"""Grows when cells are read in another way, so that known rows are read again."""


class Telling(NamedTuple):
    """The source that states the rows of an extract, and the contract's names of the rows."""

    source: Source
    row: Callable[[int], str | None]


class Names(NamedTuple):
    """The name of a table from day to day, and of the sheet that messages name."""

    table: str
    sheet: str


class Rows:
    """The rows of a table below its headings. Raises CannotGoOn if a column is missing."""

    def __init__(self, mapping: Mapping, table: Table, names: Names, grid: Grid, epoch: int, secret: bytes) -> None:
        headings, self._rows = found_headings(names.sheet, grid, list(wanted(table)), table.heading_rows)
        if table.across is not None:
            headings, self._rows = spread(headings, self._rows, table.across, mapping.dates)
        self._reader = Reader(mapping, table, headings, epoch, secret)
        self.headings_end = headings.first_row + table.heading_rows - 1
        """The number of the last row of the headings."""
        self._names = names
        told = repr(
            (_VERSION, mapping.dates, mapping.epoch, mapping.decimal, mapping.blanks, names.table, table)
        ).encode()
        self._mark = blake2b(told, key=secret[:64]).digest()

    @property
    def order_column(self) -> str:
        """Return the name of the column with the order's reference, as in `C`; empty if there is none."""
        return self._reader.order_column

    @property
    def columns(self) -> dict[str, str]:
        """Return the names of the columns by what they hold."""
        return self._reader.columns

    def read(self, state: State, telling: Telling, taken: int, result: ImportResult) -> None:
        """Read the rows, leaving statements in the state and faults in the result."""
        reading = _Reading(self._reader, self._names, state, telling, taken, result)
        samples = result.samples
        while some := list(islice(self._rows, _AT_ONCE)):
            if samples is not None:
                samples |= dict(self._reader.samples(some))
                samples = None
            digests = [self._digest(row) for row in some]
            known = state.states(digests)
            new = [(row, digest) for row, digest in zip(some, digests, strict=True) if digest not in known]
            result.rows[self._names.sheet] += len(some)
            result.same += len(some) - len(new)
            state.state([statement for row, digest in new for statement in reading.statements(row, digest)])
        state.name_unread(*self._names, reading.unread)
        if is_newest(taken, state.newest(self._names.table)):
            state.hold(self._names.table, reading.held)

    def _digest(self, row: Row) -> bytes:
        cells = self._reader.cells(row.cells)
        text = "\x1f".join(map(str, cells)) if isinstance(cells, tuple) else str(cells)
        return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16, key=self._mark).digest()


class _Reading:
    """One reading of a table."""

    def __init__(
        self, reader: Reader, names: Names, state: State, telling: Telling, taken: int, result: ImportResult
    ) -> None:
        self._reader, self._names, self._state = reader, names, state
        self._telling, self._taken, self._result = telling, taken, result
        self._days = reader.days
        self.unread: list[tuple[str, int]] = []
        """Orders and rows that could not be read as a whole."""
        self.held: list[tuple[str, str]] = []
        """Subjects and keys of facts that cannot be read; both are empty for a row that cannot be read at all."""

    def statements(self, row: Row, digest: bytes) -> list[Statement]:
        """Return what a row states. A row with any fault does not count as known, so that it is reported again."""
        items = [self._as_known(item) for item in self._reader.read(row)]
        found = [one for item in items for one in self._item(item, row, digest)]
        said = sum(isinstance(item, Said) for item in items)
        whole = len(found) == said and not any(isinstance(item, Held | Noted) for item in items)
        return found if whole else [statement._replace(digest=None) for statement in found]

    def _as_known(self, item: Item) -> Item:
        """Return what a row states under the key that the state knows, if that was once made of a day as it was written."""
        match item:
            case Said(subject, fact):
                ref = self._known_key(subject, fact.key).partition("/")[2]
                known = fact if not ref or fact.key.endswith(f"/{ref}") else replace(fact, ref=ref)
                return item._replace(fact=known)
            case Held(subject, str(key)) | Blank(subject, key):
                return item._replace(key=self._known_key(subject, key))
            case _:
                return item

    def _known_key(self, subject: str, key: str) -> str:
        read = self._days.get(key.partition("/")[0])
        return key if read is None else known_key(key, self._state.keys_of(subject, key.partition("/")[0]), read)

    def _item(self, item: Item, row: Row, digest: bytes) -> Iterator[Statement]:
        match item:
            case Said():
                yield from self._said(item, row, digest)
            case Held(subject, key, refusals):
                self._hold(subject, key, refusals, row)
            case Blank(subject, key):
                self._state.account(subject, key, CLEARED)
            case Unknown(refusals):
                self._hold("", None, refusals, row)
            case Noted(refusal):
                self._result.refusals.append(refusal)
            case Ignored(total):
                self._result.totals += total

    def _hold(self, subject: str, key: str | None, refusals: Sequence[Refusal], row: Row) -> None:
        self._result.refusals += refusals
        if subject:
            self.unread.append((subject, row.number))
        if key is None:
            self._result.unknown += 1
            self.held.append(("", ""))
        else:
            self._result.held += 1
            self.held.append((subject, key))
            self._state.account(subject, key, HELD)

    def _said(self, said: Said, row: Row, digest: bytes) -> Iterator[Statement]:
        fact = said.fact
        time = self._taken if said.recorded is None else min(micros(said.recorded), self._taken)
        try:
            event = event_of(
                self._telling.source, said.subject, fact, time, self._telling.row(row.number), said.caseload
            )
        except NotAcceptable as fault:
            self._hold(said.subject, fact.key, [self._refused(said, row, fault)], row)
            return
        known = self._state.account(said.subject, fact.key, BY_STATEMENT)
        place = self._reader.place(row.number, None)
        yield Statement(
            self._names.table,
            said.subject,
            fact.key,
            fact.NAME,
            digest_of(fact, said.caseload),
            time,
            event.id,
            event.body,
            digest,
            place,
            known,
            row.number,
            self._names.sheet,
        )

    def _refused(self, said: Said, row: Row, fault: NotAcceptable) -> Refusal:
        rejection = fault.rejection
        words = _plainly(rejection.message)
        if rejection.reason is Reason.DATE_AFTER_TIME:
            words = f"it is after {in_words(self._taken)}, when this was taken or recorded"
        return self._reader.refusal(said, row, rejection.path, words)


def _plainly(message: str) -> str:
    """Return the contract's words about a member, for people who have only ever seen their table."""
    return "neither supervision nor unpaid work" if message.endswith(" items") else message


def digest_of(fact: Fact, caseload: str | None = None) -> bytes:
    """Return the digest of a fact. That another team works with an order shows in the digest of its imposition."""
    told = f"\0{caseload}" if caseload is not None and isinstance(fact, OrderImposed) else ""
    return blake2b(fact.NAME.encode() + encode_data(fact) + told.encode(), digest_size=16).digest()


def wanted(table: Table) -> Iterator[Heading]:
    """Yield every heading that the mapping of a table names."""
    for value in _values(table):
        yield from (one for one in (value.column, value.born) if one is not None)
        yield from value.joined
    yield from (*table.when, *table.unless)
    for stated in table.facts():
        yield from (*stated.when, *stated.unless)


def _values(table: Table) -> Iterator[Value]:
    cells: list[Cell | None] = [table.order, table.caseload, table.recorded]
    for stated in table.facts():
        cells += stated.fields.values()
        cells += [cell for one in stated.requirements for cell in (one.hours, one.months, one.complete_by)]
    yield from (value_of(cell) for cell in cells if cell is not None)
