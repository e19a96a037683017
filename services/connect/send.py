"""Moves decided events to the spool, and from there to the platform: each event once, whatever is killed when."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from contracts.client import Client, NotSent, Result, Spool, SpoolBusy, SpoolFull, Topic, message
from contracts.rejections import place_in_words
from services.connect.comparing.facts import Refusal
from services.connect.faults import Later
from services.connect.mapping.model import Platform
from services.connect.state import State

AT_ONCE = 2000
_NOTE = "connect"
"""The note in the spool with the place of the last event that was moved, kept in the same transaction as the event."""


@dataclass(slots=True)
class Sent:
    """The result of sending."""

    accepted: int = 0
    """Events but for signs of life."""
    alive: int = 0
    """Signs of life that were accepted."""
    refused: list[Refusal] = field(default_factory=list)
    waiting: int = 0
    """Events that could not be given to the platform yet."""


def client_of(spool: Spool, platform: Platform, folder: Path, patience: float) -> Client:
    """Return the client. `folder` is where the path of the token's file begins."""
    addresses = {Topic.ORDERS: platform.orders, Topic.UNPAID_WORK: platform.unpaid_work}
    token = folder / platform.token_file
    try:
        token.read_text()
        return Client(spool, addresses, lambda: token.read_text().strip(), patience=patience)
    except (OSError, ValueError) as fault:
        raise Later(str(fault)) from None


def settle(state: State, spool: Spool, sent: Sent) -> None:
    """Take up the results of events, before anything else is decided."""
    while results := spool.results(AT_ONCE):
        refused = {result.id: result for result in results if not result.accepted}
        accepted = [result.id for result in results if result.accepted]
        alive = state.signs_of_life(accepted)
        places = state.settle(accepted, {event: result.path or "$" for event, result in refused.items()})
        sent.accepted += len(accepted) - alive
        sent.alive += alive
        sent.refused += [Refusal(places[event], words_of(result)) for event, result in refused.items()]
        spool.forget(results)


def reconcile(state: State, spool: Spool) -> None:
    """Count events again if the state was restored from an older copy."""
    if handed(spool) > state.last_place():
        spool.add(note=(_NOTE, "0"))


def handed(spool: Spool) -> int:
    return int(spool.note(_NOTE) or 0)


def send(state: State, spool: Spool, client: Client, told: Callable[[Sent], object] = lambda _: None) -> Sent:
    """Send until nothing waits, or the platform is away for longer than the client's patience. Raises Later."""
    sent = Sent()
    try:
        _send(state, spool, client, sent, told)
    except (NotSent, SpoolBusy, SpoolFull) as fault:
        raise Later(f"{fault}. Nothing is lost; run it again to go on.") from None
    sent.waiting = spool.waiting() + len(state.waiting(handed(spool), AT_ONCE))
    return sent


def _send(state: State, spool: Spool, client: Client, sent: Sent, told: Callable[[Sent], object]) -> None:
    settle(state, spool, sent)
    while client.send():
        settle(state, spool, sent)
        told(sent)
        events = state.waiting(handed(spool), AT_ONCE)
        if not events:
            return
        spool.add(*(message(event.body) for event in events), note=(_NOTE, str(events[-1].place)))
    settle(state, spool, sent)


def words_of(result: Result) -> str:
    """Return why the platform refused an event, for people who have only ever seen their table."""
    return (
        f"the platform refused it: {place_in_words(result.path or '$')}: {result.message or ''}. {result.remedy or ''}"
    )
