"""Accepts only signed events of an authority that requires signatures. One unsigned event refuses the whole request."""

from collections.abc import Callable, Sequence
from threading import Lock
from typing import NamedTuple

from cachetools import TTLCache
from sqlalchemy import Engine

from contracts.authorities import AUTHORITIES
from contracts.receipts.keys import PublicKeys, public_key
from contracts.receipts.receipt import NotProven
from contracts.receipts.signed import check_signature
from services.chassis.api.problems import Problem
from services.chassis.database import transaction
from services.chassis.failures import Away
from services.chassis.guarding.walls import Sight, seeing
from services.records.api.intake_schemas import Answer
from services.records.ingest import notes
from services.records.ingest.notes import Kind

LOOK_SECONDS = 5.0
"""A key that was registered or taken back takes effect within this many seconds."""

Signers = Callable[[str], PublicKeys | None]
"""The keys of an authority, one of which must have signed everything that it sends; None if the authority need not sign."""


class Item(NamedTuple):
    """One event of a request."""

    place: int
    raw: bytes


def nobody_must_sign(_authority: str) -> None:
    """Require no signature, for an intake without keys."""


def check_signed(events: Sequence[Item], keys: PublicKeys, so_far: Answer) -> None:
    """Raise Problem 403 for the first event that none of the keys has signed."""
    for place, raw in events:
        try:
            check_signature(raw, keys)
        except NotProven as fault:
            path, told = f"$[{place}].signature", so_far.model_dump()
            detail = f"The authority requires signed events; for the event at {place}, {fault}"
            raise Problem(403, detail, reason="not_signed", path=path, **told) from None


class RegisteredSigners:
    """The keys that managers registered. While PostgreSQL is away, the last known keys count, and authorities not looked up yet are
    refused.
    """

    def __init__(self, database: Engine) -> None:
        self._database, self._lock = database, Lock()
        self._known: dict[str, PublicKeys | None] = {}
        self._fresh: TTLCache[str, bool] = TTLCache(64, LOOK_SECONDS)

    def __call__(self, authority: str) -> PublicKeys | None:
        """Return the authority's keys. Raises Away if they were never looked up and cannot be looked up now."""
        if self._is_due(authority):
            try:
                self._look(authority)
            except Away:
                if authority not in self._known:
                    raise
        return self._known[authority]

    def check(self) -> None:
        """Look up every authority once, in case PostgreSQL goes away later. Raises Away until that is done."""
        for authority in AUTHORITIES.keys() - self._known.keys():
            self._look(authority)

    def _is_due(self, authority: str) -> bool:
        """Return whether this caller should look the keys up. Only one looks at a time; once anything is known,
        others do not wait for it.
        """
        with self._lock:
            due = authority not in self._fresh or authority not in self._known
            self._fresh[authority] = True
            return due

    def _look(self, authority: str) -> None:
        with seeing(Sight(authority)), transaction(self._database) as connection:
            held = [note.content or {} for note in notes.holding(connection, authority, Kind.SIGNING_KEY)]
        required = any(one["required"] for one in held)
        self._known[authority] = PublicKeys({"keys": [public_key(one["x"]) for one in held]}) if required else None
