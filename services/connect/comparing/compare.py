"""One import: read every row, compare every fact with what was sent before, and keep every event that follows to be sent."""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.client import Source
from contracts.events import AUTHORITY_SUBJECT, Heartbeat, OrderEnded
from services.connect.comparing.difference import is_newest
from services.connect.comparing.facts import Refusal
from services.connect.comparing.follow import Followed, event_of, fact_in_words
from services.connect.comparing.rows import Names, Rows, Telling
from services.connect.comparing.strangers import name_strangers
from services.connect.extracts.cells import Grid
from services.connect.faults import CannotGoOn
from services.connect.mapping.model import Mapping, Table
from services.connect.moments import local_day
from services.connect.result import ImportResult, listed, number_of
from services.connect.state import SIGN_OF_LIFE, State, Vanished

DIGITS = 16
"""How many digits of a file's digest name it in its report and in events from it."""
_FEW, _SHARE = 10, 0.2
"""So many facts, and this share of all, may vanish from a table at once before a person must confirm it."""


@dataclass(frozen=True, slots=True)
class Extract:
    """A table as it was at some time."""

    table: Table
    name: str
    """Its name, in messages and from day to day."""
    grid: Grid
    epoch: int
    """The year from which its numbered dates count."""
    taken: int
    content: bytes = b""
    """The digest of the file, if it comes from one."""
    sheet: int = 1
    """The number of the sheet in the file."""
    tab: str = ""
    """What messages call it, if it is one of several sheets that make one table."""

    struck: Sequence[int] = ()
    """The numbers of rows that somebody struck through."""

    @property
    def place(self) -> str:
        """Return its name in messages."""
        return self.tab or self.name

    def row(self, number: int) -> str | None:
        """Return the contract's name of a row, without the name of file or sheet, since that may be a person's."""
        return f"{self.content.hex()[:DIGITS]}.{self.sheet}.{number}" if self.content else None


@dataclass(frozen=True, slots=True)
class Setting:
    """The settings that all tables of an import share."""

    mapping: Mapping
    source: Source
    secret: bytes
    state: State
    let_vanish: bool = False
    """Whether any number of rows may vanish."""


def compare(setting: Setting, extracts: Sequence[Extract], keep: bool) -> ImportResult:
    """Import everything or nothing; if it is not to be kept, only try. Raises CannotGoOn."""
    result, state = ImportResult(samples=None if keep else {}), setting.state
    with state.transaction(keep):
        state.begin()
        for extract in extracts:
            if is_newest(extract.taken, state.newest(extract.name)):
                state.release(extract.name)
        columns = {extract.place: _read(setting, extract, result) for extract in extracts}
        name_strangers(state, {extract.name: extract.table for extract in extracts}, columns, result)
        _refuse_contradictions(state, result)
        _follow(setting, {extract.name: extract for extract in extracts}, result)
        _beat(setting, extracts, result)
        for extract in extracts:
            state.advance(extract.name, extract.taken)
            state.keep_file(extract.content, extract.taken)
        if any(extract.table.history for extract in extracts):
            result.open_orders = state.open_orders()
    return result


def _read(setting: Setting, extract: Extract, result: ImportResult) -> str:
    """Read a table, and return which column holds the reference of the order."""
    names = Names(extract.name, extract.place)
    rows = Rows(setting.mapping, extract.table, names, extract.grid, extract.epoch, setting.secret)
    setting.state.keep_columns(extract.place, rows.columns)
    rows.read(setting.state, Telling(setting.source, extract.row), extract.taken, result)
    if below := [number for number in extract.struck if number > rows.headings_end]:
        places = listed(f"{extract.place}!A", [f"{extract.place}!A{number}" for number in below])
        words = "the row is struck through" if len(below) == 1 else "these rows are struck through"
        result.remarks.append(f"{places}: {words}, and is read like any other: delete what no longer counts")
    return rows.order_column


def _refuse_contradictions(state: State, result: ImportResult) -> None:
    found = list(state.contradictions())
    state.forget_statements((subject, key) for subject, key, _ in found)
    for subject, key, origins in found:
        places = " and ".join(dict.fromkeys(origins))
        words = f"{fact_in_words(key)} of order {subject} is stated in more than one way"
        result.refusals.append(Refusal(places, words))
        result.held += 1


def _follow(setting: Setting, extracts: dict[str, Extract], result: ImportResult) -> None:
    state = setting.state
    tables = {
        name: Followed(setting.source, state, extract.table, name, extract.taken, state.newest(name), result)
        for name, extract in extracts.items()
    }
    gone = {name: _vanished(setting, extract) for name, extract in extracts.items()}
    for statement, known in state.statements():
        tables[statement.sheet].say(statement, known)
    for name, vanished in gone.items():
        for one in vanished:
            tables[name].gone(one)
        tables[name].remind()


def _vanished(setting: Setting, extract: Extract) -> list[Vanished]:
    if not extract.table.whole:
        return []
    if not is_newest(extract.taken, setting.state.newest(extract.name)):
        return setting.state.cleared(extract.name, extract.taken)
    found = setting.state.vanished(extract.name)
    acts = extract.table.vanished != "report"
    if acts:
        found += _gone_before(setting.state, extract)
    missing = sum(not one.cleared for one in found)
    before = setting.state.facts_of(extract.name) + sum(one.known.gone is not None for one in found)
    if acts and not setting.let_vanish and missing > max(_FEW, before * _SHARE):
        raise CannotGoOn(
            f"{extract.name}: of {number_of(before, 'fact')} {missing:,} have gone since the last extract. Perhaps the file is "
            "incomplete. Nothing was imported; if they really are gone, give --let-vanish."
        )
    return found


def _gone_before(state: State, extract: Extract) -> list[Vanished]:
    """Return facts that vanished while the mapping said only to report them."""
    found = [one for one in state.still_counting(extract.name) if not one.cleared]
    if extract.table.vanished == "withdraw":
        return found
    return [one for one in found if state.find(one.subject, OrderEnded.KEY) is None]


def _beat(setting: Setting, extracts: Sequence[Extract], result: ImportResult) -> None:
    """Send a heartbeat, so that nothing to report differs from silence."""
    live = [one for one in extracts if not one.table.history]
    taken = max((one.taken for one in live), default=0)
    if taken <= max((setting.state.newest(one.name) or 0 for one in live), default=0):
        return
    fact = Heartbeat(nothing_to_report_since=None if result.events else local_day(taken))
    message = event_of(setting.source, AUTHORITY_SUBJECT, fact, taken)
    setting.state.put(message.id, message.body, SIGN_OF_LIFE)
    result.alive = True
