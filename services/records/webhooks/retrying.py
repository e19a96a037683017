"""When to try a receiver again after an attempt, and when to stop. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Fault(StrEnum):
    """Why a message was not accepted."""

    NO_ADDRESS = "no_address"
    NOT_ALLOWED = "address_not_allowed"
    CERTIFICATE = "certificate"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    STATUS = "status"
    GONE = "gone"
    SECRET = "secret"  # noqa: S105 - a name

    @property
    def words(self) -> str:
        """Return the fault in words, for the receiver's manager."""
        return _WORDS[self]


_WORDS = {
    Fault.NO_ADDRESS: "Its name has no address",
    Fault.NOT_ALLOWED: "Its name has an address to which the platform may not send",
    Fault.CERTIFICATE: "Its certificate is not valid for its name",
    Fault.UNREACHABLE: "It refuses or breaks the connection",
    Fault.TIMED_OUT: "It did not answer in time",
    Fault.STATUS: "It answered with another status than 2xx",
    Fault.GONE: "It answered 410: it wants no more messages",
    Fault.SECRET: "Its secret cannot be read any more: make a new one, unless the operator can correct this",
}


@dataclass(frozen=True, slots=True)
class Retries:
    """How long and how often to try a failing receiver, in seconds."""

    first: float
    longest: float
    give_up: float


@dataclass(frozen=True, slots=True)
class Course:
    """The state of a receiver."""

    next_at: datetime
    attempts: int = 0
    """Failed attempts in a row."""
    failing_since: datetime | None = None
    fault: Fault | None = None
    """The fault of the last attempt."""
    stopped_at: datetime | None = None
    """Since when nothing is sent; somebody must resume it."""


def taken(now: datetime) -> Course:
    """Return the state after a message was accepted."""
    return Course(now)


def failed(before: Course, fault: Fault, now: datetime, retries: Retries, share: float = 1) -> Course:
    """Return the state after a message was not accepted: the wait doubles each time. Only a share of it is waited, so that many receivers
    that failed together are not all tried together.
    """
    since = before.failing_since or now
    over = fault is Fault.GONE or now - since >= timedelta(seconds=retries.give_up)
    wait = min(retries.first * 2.0 ** min(before.attempts, 30), retries.longest) * share
    return Course(now + timedelta(seconds=wait), before.attempts + 1, since, fault, now if over else None)
