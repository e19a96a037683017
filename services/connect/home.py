"""The folder beside a mapping with everything that must not be lost: the key of the pseudonyms, the state, and the spool."""

import hmac
import os
import secrets
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from contracts.client import Spool
from services.connect.faults import CannotGoOn
from services.connect.mapping.loading import load_mapping
from services.connect.mapping.model import SYSTEM
from services.connect.state import State

_FINGERPRINT = "key"
_SYSTEM = "system"
"""The note in the state with the name under which its events are sent and counted."""
_LEFT = "system before"
"""The note with the name under which a state sent before it had one of its own."""


class Home(NamedTuple):
    """The paths of one mapping."""

    folder: Path

    @property
    def key(self) -> Path:
        return self.folder / "key"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def spool(self) -> Path:
        return self.folder / "spool"

    @property
    def database(self) -> Path:
        return self.folder / "database"

    def open_state(self) -> State:
        self.folder.mkdir(parents=True, exist_ok=True)
        return State(self.state)

    def trial_state(self) -> State:
        """Return the present state, or an empty one that leaves nothing behind."""
        return State(self.state if self.state.exists() else None)

    def open_spool(self) -> Spool:
        return Spool(self.spool)


def home_of(mapping: Path) -> Home:
    """Return the paths of a mapping: `orders.yaml` keeps its files in `orders.connect`."""
    return Home(mapping.with_suffix(".connect"))


def secret_of(home: Home, state: State, make: bool) -> tuple[bytes, bool]:
    """Return the key, and whether it was just made. Raises CannotGoOn if it is not the one with which people were named before."""
    made = not home.key.exists()
    if made and state.note(_FINGERPRINT) is not None:
        raise CannotGoOn(
            f"{home.key} is missing. It is the key that turned people into pseudonyms. Restore it from your backup: "
            "with another key every person would count as a new one."
        )
    secret = _make(home.key) if made and make else secrets.token_bytes(32) if made else _read(home.key)
    fingerprint = hmac.digest(secret, b"fingerprint", "sha256")[:8].hex()
    if state.note(_FINGERPRINT) not in {None, fingerprint}:
        raise CannotGoOn(
            f"{home.key} is not the key that turned people into pseudonyms; restore that one from your backup"
        )
    if make:
        fresh = _is_fresh(state)
        with state.transaction():
            state.keep_note(_FINGERPRINT, fingerprint)
            if fresh:
                state.keep_note(_SYSTEM, _own_system(home, secret))
    return secret, made and make


def system_of(home: Home, state: State, secret: bytes, named: str) -> str:
    """Return the name of the source of a mapping's events: one of its own, since each mapping counts its events by itself.

    A name that the mapping gives is kept, and so is the one under which a state has sent before there were names of its own.
    """
    if named != SYSTEM:
        return named
    return state.note(_SYSTEM) or (_own_system(home, secret) if _is_fresh(state) else SYSTEM)


def parted(home: Home, state: State, secret: bytes, named: str) -> list[str]:
    """Give a state that sends under the common source one of its own, if another beside it does or did, and return what is to be told.

    Each counts by itself, so the second state gives events numbers that the first has given to others. What was sent stays as it is.
    """
    sharing = [one for one in _others(home) if named == SYSTEM and state.note(_SYSTEM) is None and _is_common(one)]
    if not sharing:
        return []
    own = _own_system(home, secret)
    with state.transaction():
        state.keep_note(_SYSTEM, own)
        state.keep_note(_LEFT, SYSTEM)
    told = (
        f"{home.folder.name} and {sharing[0].folder.name} sent under one source, {SYSTEM}, and each counted by itself, which the desk "
        f"lists as wrong data. From now on {home.folder.name} sends as {own}. Nothing is sent again. What is listed stays, and nothing is "
        "added to it once each of them has been sent with this version."
    )
    return [told]


def _others(home: Home) -> list[Home]:
    """Return the folders beside this one in which a mapping keeps its state."""
    found = sorted(home.folder.parent.glob("*.connect/state"))
    return [Home(state.parent) for state in found if state.parent != home.folder]


def _is_common(home: Home) -> bool:
    """Return whether a state sends, or once sent, under the common source."""
    with suppress(CannotGoOn):
        if load_mapping(home.folder.with_suffix(".yaml")).system != SYSTEM:
            return False
    try:
        with closing(State(home.state)) as state:
            return not _is_fresh(state) and (state.note(_SYSTEM) is None or state.note(_LEFT) is not None)
    except sqlite3.OperationalError:  # another import is at work on it; the next one asks again
        return False


def _is_fresh(state: State) -> bool:
    """Return whether nothing was ever sent from this state."""
    return state.note(_FINGERPRINT) is None and state.last_place() == 0


def _own_system(home: Home, secret: bytes) -> str:
    """Return a name that differs from that of any other folder, even one with the same key, and tells nothing of the folder's."""
    digest = hmac.digest(secret, f"source {home.folder.absolute()}".encode(), "sha256")
    return f"{SYSTEM}-{digest[:5].hex()}"


def beside(home: Home) -> list[Path]:
    """Return the folders beside this one that have another key, or would have if this one makes its own."""
    own = home.key.read_bytes() if home.key.exists() else None
    keys = sorted(home.folder.parent.glob("*.connect/key"))
    return [key.parent for key in keys if key.parent != home.folder and key.read_bytes() != own]


def two_keys(home: Home, others: Sequence[Path]) -> str:
    """Return what it means that mappings in one folder have keys of their own, and how they share one."""
    first = others[0]
    told = (
        f"{home.folder.name} and {first.name} have a key each, so a person who is in the tables of both counts as two. "
        if home.key.exists()
        else f"{first.name} has a key already; {home.folder.name} would get one of its own, so a person in the tables of both would count "
        "as two. "
    )
    return told + (
        f"If the same people may be in both, put all tables into one mapping, or share the key: before the first send, make the folder "
        f"{home.folder.name} and copy {first.name}/key into it. Once something was sent, another key makes every person a new one."
    )


def warning(home: Home) -> str:
    """Return what to do about a new key."""
    return (
        f"A key was made in {home.key}. It turns people into pseudonyms and never leaves you. Back up the folder {home.folder} "
        "now, and keep the copy as you keep a password: without the key every person would count as a new one."
    )


def _read(path: Path) -> bytes:
    try:
        return bytes.fromhex(path.read_text().strip())
    except ValueError:
        raise CannotGoOn(f"{path} is damaged; restore it from your backup") from None


def _make(path: Path) -> bytes:
    """Write a key to the disk, whole or not at all, before it is used."""
    secret = secrets.token_bytes(32)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name("key.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(secret.hex() + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)
    _synchronise(path.parent)
    return secret


def _synchronise(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
