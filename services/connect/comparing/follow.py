"""Carries out what follows from one table: events for facts that are new, changed, back or gone, and the state that remembers them."""

from dataclasses import dataclass, field

from contracts.client import Message, Source
from contracts.clock import system_clock
from contracts.decoding.codec import Event
from contracts.decoding.validation import judge
from contracts.events import AUTHORITY_SUBJECT, Fact, FactWithdrawn, OrderEnded, OrderImposed
from services.connect.comparing.difference import A_MOMENT, Change, Known, Older, Same, ToSay, decide, is_newest
from services.connect.mapping.model import Ended, Table
from services.connect.moments import local_day, moment
from services.connect.result import ImportResult
from services.connect.state import State, Statement, Vanished

_MADE = b"made"
"""Used in place of the digest of a fact that no row has stated."""


@dataclass(frozen=True, slots=True)
class Followed:
    """One table of an extract, as its consequences are carried out."""

    source: Source
    state: State
    table: Table
    name: str
    taken: int
    newest: int | None
    """When the newest extract before this one was taken."""
    result: ImportResult
    told: set[int] = field(default_factory=set)
    """Facts that this import reported as gone and still counting."""

    def say(self, statement: Statement, known: Known | None) -> None:
        """Carry out a fact that a row states."""
        if known is None:  # an earlier row may have stated it
            known = self.state.find(statement.subject, statement.key)
        match decide(known, statement.said, statement.time, self.taken, self._newest_of(known)):
            case Older():
                self.result.older += 1
            case Same() if known is not None:
                self.result.same += 1
                self._same(statement, known)
            case ToSay(time, change):
                self.result.said[statement.name, change] += 1
                if change is Change.CHANGED:
                    self.result.corrected.setdefault(statement.subject, []).append(fact_in_words(statement.key))
                self._said(statement, known, time)

    def gone(self, one: Vanished) -> None:
        """Carry out a fact that no row of the newest extract states."""
        self._gone(one, self.newest if one.known.gone is None else one.known.seen, self.taken)

    def remind(self) -> None:
        """Report facts that vanished earlier and still count, until somebody decides about them."""
        if not self.table.whole or not is_newest(self.taken, self.newest):
            return
        for one in self.state.still_counting(self.name):
            if one.known.id not in self.told and self._policy(one) == "report":
                self._tell(one)

    def _policy(self, one: Vanished) -> str | Ended:
        return self.table.cleared if one.cleared else self.table.vanished

    def _tell(self, one: Vanished) -> None:
        self.result.counting.setdefault((self.name, one.subject, one.cleared), []).append(fact_in_words(one.key))
        self.result.gone += 1
        self.told.add(one.known.id)

    def _newest_of(self, known: Known | None) -> int | None:
        return self.newest if known is None or known.table == self.name else self.state.newest(known.table)

    def _same(self, statement: Statement, known: Known) -> None:
        if is_newest(self.taken, self.newest):
            self.state.keep(known.id, self.name)
            self._link(statement, known.id)
            self._take_back_the_end(statement)
        elif known.gone is not None:
            self.state.seen_again(known.id, self.taken)

    def _said(self, statement: Statement, known: Known | None, time: int) -> None:
        event, body = self._event(statement, time)
        if known is not None:
            self.state.drop_rows_with(known.id)
        fact = self.state.say(statement, body, event, time)
        if is_newest(self.taken, self.newest):
            self._link(statement, fact, new=known is None)
            self._take_back_the_end(statement)
        elif self.table.whole:
            self._gone_since(statement, known)

    def _event(self, statement: Statement, time: int) -> tuple[str, bytes]:
        """Return id and body of the event, made again if its time must be later than the statement's."""
        if time == statement.time:
            return statement.id, statement.body
        event = judge(statement.body, system_clock())
        assert isinstance(event, Event)
        message = event_of(self.source, statement.subject, event.data, time, event.extract_row, event.caseload)
        return message.id, message.body

    def _link(self, statement: Statement, fact: int, new: bool = False) -> None:
        if statement.digest is not None:
            self.state.link(statement.digest, fact, new)

    def _gone_since(self, statement: Statement, known: Known | None) -> None:
        """Treat a fact that an older extract has and the newest has not as gone."""
        assert self.newest is not None
        if self.state.holds(self.name, statement.subject, statement.key):
            return
        found = self.state.find(statement.subject, statement.key)
        assert found is not None
        row_seen = self.state.row_seen(self.name, statement.subject, statement.key)
        cleared = row_seen > self.taken
        gone = row_seen if cleared else self.newest if known is None or known.gone is None else known.gone
        self._gone(Vanished(found, statement.subject, statement.key, cleared), self.taken, gone)

    def _gone(self, one: Vanished, seen: int | None, gone: int) -> None:
        policy = self._policy(one)
        held = self.state.holds(self.name, one.subject, one.key)
        if one.known.gone is None and (policy == "report" or held):
            self._tell(one)
        if held:
            return  # it may be in a row that cannot be read, so this is decided when it can
        self.state.go(one.known.id, seen, gone)
        if policy == "report":
            return
        if isinstance(policy, Ended):
            self._end(one.subject, policy, one.known.gone or gone)
        else:
            self._withdraw(one.known, one.subject, one.key, gone)

    def _withdraw(self, known: Known, subject: str, key: str, at: int) -> None:
        time = max(at, known.time + A_MOMENT)
        message = event_of(self.source, subject, FactWithdrawn(fact=key), time)
        self.state.withdraw(known.id, message.id, message.body, time, self.name)
        if key == OrderImposed.KEY:
            self.state.drop_rows_about(subject)
        self.result.said[FactWithdrawn.NAME, "gone"] += 1
        self.result.withdrawn.setdefault(subject, []).append(fact_in_words(key))

    def _end(self, subject: str, policy: Ended, gone: int) -> None:
        """State that the order ended, since its row is gone, unless its end is known."""
        known = self.state.find(subject, OrderEnded.KEY)
        if known is not None and not known.withdrawn:
            return
        fact = OrderEnded(ended_on=local_day(gone), reason=policy.ended)
        time = gone if known is None else max(gone, known.time + A_MOMENT)
        event = event_of(self.source, subject, fact, time)
        said = Statement(
            self.name, subject, fact.key, fact.NAME, _MADE, time, event.id, event.body, None, self.name, None
        )
        self.state.say(said, event.body, event.id, time, made=True)
        self.result.said[fact.NAME, "row gone"] += 1
        self.result.remarks.append(f"{self.name}: order {subject} has gone, which ends it.")

    def _take_back_the_end(self, statement: Statement) -> None:
        """Withdraw the end of an order whose row came back."""
        if not isinstance(self.table.vanished, Ended) or statement.key == OrderEnded.KEY:
            return
        known = self.state.find(statement.subject, OrderEnded.KEY)
        if known is not None and known.made and not known.withdrawn:
            self._withdraw(known, statement.subject, OrderEnded.KEY, self.taken)


def event_of(
    source: Source, subject: str, fact: Fact, time: int, extract_row: str | None = None, caseload: str | None = None
) -> Message:
    """Return the event of a fact. Raises NotAcceptable."""
    about, whose = (None, None) if subject == AUTHORITY_SUBJECT else (subject, caseload)
    return source.event(fact, recorded_at=moment(time), subject=about, extract_row=extract_row, caseload=whose)


_NAMES = {"imposed": "the imposition", "ended": "the end", "first_contact": "first contact"}


def fact_in_words(key: str) -> str:
    """Return a fact key in words, as in `session s1`."""
    name, _, ref = key.partition("/")
    words = _NAMES.get(name, name.replace("_", " "))
    return f"{words} {ref}" if ref else words
