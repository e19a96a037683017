"""The failures that the platform distinguishes. Each says what to do; every other exception is our bug.

Failure
├── Away      a dependency does not answer for now      try the same work again, in place
│   └── TimedOut  it answers, but this was too much     try again with less
├── Fenced    another worker has moved on               forget what is cached, read the position again
└── Refused   going on would do harm                    stop, and let an operator decide
"""

from collections.abc import Iterator
from random import SystemRandom
from traceback import extract_tb

_random = SystemRandom()


class Failure(Exception):
    """A failure with a message for operators: it names parts and positions, never payloads or people."""

    exit_status = 1


class Away(Failure):
    """A dependency is briefly away. The same work may succeed later, so wait and try it again."""

    exit_status = 4


class TimedOut(Away):
    """A dependency answers, but did not finish this piece of work in the time that it may take. Less at once may succeed."""


class Fenced(Failure):
    """Another worker has taken over or moved on. Nothing was written; what this worker believes is out of date."""


class Refused(Failure):
    """The work must not continue, for example because a topic was deleted and made again."""

    exit_status = 3


def backoff(first: float, longest: float) -> Iterator[float]:
    """Yield the seconds to wait before each next try: doubling up to `longest`, each shortened by up to half at random."""
    delay = first
    while True:
        yield delay * _random.uniform(0.5, 1)
        delay = min(delay * 2, longest)


class Description(str):
    """The description of an error, suitable for a log however long it is."""

    __slots__ = ()


def describe(error: BaseException) -> Description:
    """Return where an error came from. Only the message of a Failure is included: others may quote a payload."""
    if isinstance(error, Failure):
        return Description(f"{type(error).__name__}: {error}")
    frames = " < ".join(
        f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(extract_tb(error.__traceback__))
    )
    return Description(f"{type(error).__qualname__} at {frames or 'an unknown place'}")


def describe_shortly(error: BaseException) -> Description:
    """Return the description with one place only: the innermost in a service of ours."""
    frames = [frame for frame in extract_tb(error.__traceback__) if _SERVICES in frame.filename]
    if isinstance(error, Failure) or not frames:
        return describe(error)
    place = f"services/{frames[-1].filename.rpartition(_SERVICES)[2]}:{frames[-1].lineno} {frames[-1].name}"
    return Description(f"{type(error).__qualname__} at {place}")


_SERVICES = "/services/"
