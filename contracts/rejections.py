"""Why an event is refused, in codes that never change and words for the person who has to correct it."""

import re

from msgspec import Struct

from contracts.codes import Code


class Reason(Code):
    """The code, and how to correct the error that it names."""

    TOO_LARGE = "too_large", "Send one fact in each event; an event may be 64 KiB at most."
    NOT_JSON = "not_json", "Send UTF-8 JSON; check quotes, commas and the end of the text."
    NOT_CLOUDEVENT = "not_cloudevent", "Send a JSON object with the CloudEvents 1.0 attributes and specversion 1.0."
    REPEATED_MEMBER = (
        "repeated_member",
        "Name each member of an object once; otherwise it is not clear which one counts.",
    )
    UNKNOWN_TYPE = "unknown_type", "Use one of the event types of the contract, with its version."
    WRONG_TOPIC = "wrong_topic", "Send this type of event to the other service or topic."
    UNKNOWN_MEMBER = (
        "unknown_member",
        "Leave out members that the contract does not name; free text and people's names are never accepted.",
    )
    MISSING_MEMBER = "missing_member", "Add the member that the contract requires."
    WRONG_TYPE = (
        "wrong_type",
        "Use the kind of value that the contract names: a number without quotation marks, for example.",
    )
    BAD_CODE = "bad_code", "Use a code from the code list of the contract."
    BAD_DATE = "bad_date", "Write dates as YYYY-MM-DD, and use only days that exist."
    BAD_TIME = "bad_time", "Write times as RFC 3339 with an offset, as in 2026-03-01T09:30:00Z."
    TIME_IN_FUTURE = (
        "time_in_future",
        "Set the clock of the system that records, and send the event again with the time at which it was recorded.",
    )
    BAD_FORMAT = "bad_format", "Use only the characters and the length that the contract allows here."
    OUT_OF_RANGE = "out_of_range", "Use a value inside the limits of the contract."
    WRONG_AUTHORITY = (
        "wrong_authority",
        "Send only your own authority's events, with your own credentials and to your own topic.",
    )
    WRONG_SUBJECT = "wrong_subject", "Use the order reference, or - for events about the authority itself."
    UNKNOWN_FACT = "unknown_fact", "Name a fact key of this topic, as in session/s1."
    DATE_AFTER_TIME = (
        "date_after_time",
        "A fact cannot be dated more than a day after the time at which it was recorded.",
    )
    COMPLETE_BY_BEFORE_IMPOSED = (
        "complete_by_before_imposed",
        "The date for completion cannot be before the imposition.",
    )
    NO_MAIN_REQUIREMENT = "no_main_requirement", "An order needs supervision or unpaid work."
    NEEDS_SUPERVISION = "needs_supervision", "Requirements other than unpaid work need supervision as well."
    UNDER_18_NEEDS_SUPERVISION = "under_18_needs_supervision", "An order on a person under 18 needs supervision."
    REPEATED_REQUIREMENT = "repeated_requirement", "Name each kind of requirement once."
    CREDIT_WITHOUT_ATTENDANCE = (
        "credit_without_attendance",
        "Credit minutes only for a session that the person attended.",
    )
    CHANGE_DOES_NOT_FIT = "change_does_not_fit", "Give only the new value that this kind of change needs."
    TOO_MANY_FACTS = (
        "too_many_facts",
        "Withdraw the order, and send it anew under another reference. Usual cause: a system gives a session a new ref each time.",
    )

    @property
    def remedy(self) -> str:
        return self.label


OF_ORDERS = frozenset({Reason.TOO_MANY_FACTS})
"""Reasons that lie in what was sent of the order before, so that nobody finds them by looking at one event."""

_DATA = re.compile(r"\$\.data(?=[.\[]|$)")
_STEP = re.compile(r"\.([A-Za-z0-9_]+)|\[(\d+)\]")


def place_in_words(path: str) -> str:
    """Return a JSONPath into an event for people: `$.data.requirements[0].hours` is `hours of requirement 1`."""
    words: list[str] = []
    for name, number in _STEP.findall(_DATA.sub("", path)):
        if name:
            words.append(name.replace("_", " "))
        else:
            words[-1:] = [f"{words[-1].removesuffix('s') if words else 'part'} {int(number) + 1}"]
    whole = "its data" if path == "$.data" else "the event as a whole"
    return " of ".join(reversed(words)) or whole


class Rejection(Struct, frozen=True):
    """A refused event. `path` is a JSONPath into the event; `message` repeats nothing that was sent but a member's name, or the one
    character that does not belong."""

    reason: Reason
    path: str
    message: str
    id: str | None = None
    """The event's id, if it could be read."""


class Unacceptable(Exception):
    """Raised when the reading of an event ends in its refusal."""

    def __init__(self, reason: Reason, path: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.path, self.message = reason, path, message
