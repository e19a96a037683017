"""The rights and quotas of everybody in Kafka, on one page. Users who are not named here may do nothing.

An authority writes to its own two topics and reads none. A subscriber reads the national aggregates. A service has what its work needs and
no more. Only workers may read an authority's events. Credentials and rights on any Kafka (access.py) and resources for Strimzi (strimzi.py)
are made from this page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from contracts.authorities import AUTHORITIES, sending
from contracts.clock import system_clock
from contracts.events import Topic
from contracts.periods import LONDON
from contracts.topics import NATIONAL_AGGREGATES, topic_of


class Kind(StrEnum):
    """The kind of resource that a right is about."""

    TOPIC = "topic"
    GROUP = "group"
    CLUSTER = "cluster"
    TRANSACTIONAL_ID = "transactional id"


@dataclass(frozen=True, slots=True)
class Right:
    """Operations, by Kafka's names, on one resource, or on all whose names begin with `name`."""

    kind: Kind
    name: str
    operations: tuple[str, ...]
    beginning: bool = False


SUBSCRIBER = "subscriber-"
"""The beginning of every subscriber's name."""


@dataclass(frozen=True, slots=True)
class Quota:
    """The use that each broker grants a user before it makes them wait; Kafka measures the last ten seconds."""

    write: int
    """Bytes a second."""
    read: int
    """Bytes a second."""
    time: int
    """Hundredths of one of a broker's threads. A broker has eleven threads by default."""


_MIB = 1024 * 1024
_SENDER = Quota(write=_MIB, read=_MIB // 16, time=25)
"""The nation sends 1 MiB a day, an authority its whole past in minutes; all 32 at once leave a broker a quarter of its time."""
_SUBSCRIBER = Quota(write=_MIB // 16, read=4 * _MIB, time=50)
_API = Quota(write=16 * _MIB, read=_MIB, time=200)
_WORKER = Quota(write=16 * _MIB, read=64 * _MIB, time=400)
"""In a rebuild, a worker reads the whole past as fast as it can be counted."""
_LOOKER = Quota(write=_MIB // 16, read=_MIB, time=50)


@dataclass(frozen=True, slots=True)
class Holder:
    """A user with credentials of their own. Names are in lower case, as Kubernetes requires."""

    user: str
    rights: tuple[Right, ...]
    quota: Quota


def authority(code: str) -> Holder:
    """Return an authority that sends to Kafka directly. Raises ValueError for an unknown code."""
    if code not in AUTHORITIES:
        raise ValueError(f"{code} is not an authority's code")
    return Holder(f"authority-{code.lower()}", tuple(_writes(topic_of(kind, code)) for kind in Topic), _SENDER)


def subscriber(name: str) -> Holder:
    """Return a subscriber to the national aggregates: live, complete and not protected against disclosure.

    The names of its consumer groups must begin with the name of the user.
    """
    user = f"{SUBSCRIBER}{name}"
    groups = Right(Kind.GROUP, user, ("READ",), beginning=True)
    return Holder(user, (_reads(NATIONAL_AGGREGATES), groups), _SUBSCRIBER)


def _writes(topic: str, *, beginning: bool = False) -> Right:
    return Right(Kind.TOPIC, topic, ("WRITE", "DESCRIBE"), beginning)


def _reads(topic: str, *, beginning: bool = False) -> Right:
    return Right(Kind.TOPIC, topic, ("READ", "DESCRIBE"), beginning)


def _is_in(group: str) -> Right:
    return Right(Kind.GROUP, group, ("READ",))


def _publishes(transactions: str) -> tuple[Right, ...]:
    ids = Right(Kind.TRANSACTIONAL_ID, transactions, ("WRITE", "DESCRIBE"), beginning=True)
    return _writes(NATIONAL_AGGREGATES), ids


_ORDERS, _UNPAID_WORK = f"{Topic.ORDERS}.", f"{Topic.UNPAID_WORK}."

_LOOKS = (
    Right(Kind.CLUSTER, "kafka-cluster", ("DESCRIBE",)),
    *(
        Right(Kind.TOPIC, name, ("DESCRIBE", "DESCRIBE_CONFIGS"), beginning=True)
        for name in (_ORDERS, _UNPAID_WORK, NATIONAL_AGGREGATES)
    ),
)
"""The rights of `payback doctor` and `payback watch`: to see the state of topics, and none of their content."""

SERVICES: Mapping[str, Holder] = {
    holder.user: holder
    for holder in (
        Holder(
            "topics",
            (
                Right(Kind.CLUSTER, "kafka-cluster", ("CREATE", "DESCRIBE")),
                *(
                    Right(Kind.TOPIC, name, ("CREATE", "DESCRIBE", "DESCRIBE_CONFIGS"), beginning=True)
                    for name in (_ORDERS, _UNPAID_WORK, NATIONAL_AGGREGATES)
                ),
            ),
            _LOOKER,
        ),
        Holder("watch", _LOOKS, _LOOKER),
        Holder("orders-api", (_writes(_ORDERS, beginning=True),), _API),
        Holder(
            # Its answers say how far events of both topics were processed, so it asks where their logs end.
            "unpaid-work-api",
            (_writes(_UNPAID_WORK, beginning=True), Right(Kind.TOPIC, _ORDERS, ("DESCRIBE",), beginning=True)),
            _API,
        ),
        Holder(
            "proof",
            (*(_reads(name, beginning=True) for name in (_ORDERS, _UNPAID_WORK, NATIONAL_AGGREGATES)), *_LOOKS),
            _WORKER,
        ),
        Holder(
            "copy",
            (*(_reads(name, beginning=True) for name in (_ORDERS, _UNPAID_WORK, NATIONAL_AGGREGATES)), *_LOOKS),
            _WORKER,
        ),
        Holder(
            "orders-worker",
            (_reads(_ORDERS, beginning=True), *_publishes("payback-orders"), _is_in("payback-orders"), *_LOOKS),
            _WORKER,
        ),
        Holder(
            "unpaid-work-worker",
            (
                _reads(_ORDERS, beginning=True),
                _reads(_UNPAID_WORK, beginning=True),
                *_publishes("payback-unpaid_work"),
                _is_in("payback-unpaid_work"),
                *_LOOKS,
            ),
            _WORKER,
        ),
        Holder("reporting-worker", (_reads(NATIONAL_AGGREGATES), _is_in("reporting"), *_LOOKS), _WORKER),
    )
}

COPIER = Holder(
    "copier",
    (
        Right(Kind.CLUSTER, "kafka-cluster", ("DESCRIBE",)),
        *(
            Right(
                Kind.TOPIC,
                name,
                ("CREATE", "DESCRIBE", "DESCRIBE_CONFIGS", "ALTER_CONFIGS", "READ", "WRITE", "DELETE"),
                beginning=True,
            )
            for name in (_ORDERS, _UNPAID_WORK, NATIONAL_AGGREGATES)
        ),
        Right(Kind.TRANSACTIONAL_ID, "payback-skip-", ("WRITE", "DESCRIBE"), beginning=True),
    ),
    _WORKER,
)
"""The process that keeps a copy of another Kafka. Only the Kafka with the copy knows it: where events come in, nobody may do all this."""


def known() -> tuple[Holder, ...]:
    """Return everybody but subscribers, whom no list names: our own processes, and the authorities that may still send today."""
    today = system_clock().astimezone(LONDON).date()
    return (*SERVICES.values(), *(authority(code) for code in sending(today)))
