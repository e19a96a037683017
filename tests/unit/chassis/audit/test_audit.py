"""The chain of the audit: whatever is done to entries that were written, somebody can tell."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.audit.model import (
    BEGINNING,
    ERASED,
    NOTHING_IS_OLD,
    TRIMMED,
    Entry,
    Head,
    Kept,
    Kind,
    Link,
    Purpose,
    about,
    faults,
    link,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
AUTHORITY = "S12000033"


def entry(number: int, **changes: Any) -> Entry:
    looked = Entry(
        AUTHORITY,
        NOON + timedelta(seconds=number),
        f"person {number % 3}",
        AUTHORITY,
        "case worker",
        Purpose.CASEWORK,
        Kind.LOOK,
        "GET /v1/orders/{subject:path}",
        1,
        (f"CPO/{number}",),
    )
    return replace(looked, **changes)


def chain(entries: Sequence[Entry]) -> list[Kept]:
    kept: list[Kept] = []
    for number, one in enumerate(entries, 1):
        salt = bytes([number]) * 16
        before = kept[-1].link.hash if kept else BEGINNING
        kept.append(Kept(one, link(one, number, before, about(one.references, salt)), salt))
    return kept


WHOLE = chain([entry(number) for number in range(1, 8)])


def noted(kept: Kept) -> Head:
    return Head(AUTHORITY, kept.link.number, kept.link.hash.hex(), kept.entry.at)


HEAD = [noted(WHOLE[-1])]
CHANGES: dict[str, Callable[[Kept], Kept]] = {
    "who": lambda kept: kept._replace(entry=replace(kept.entry, who="somebody else")),
    "when": lambda kept: kept._replace(entry=replace(kept.entry, at=NOON)),
    "count": lambda kept: kept._replace(entry=replace(kept.entry, count=2)),
    "references": lambda kept: kept._replace(entry=replace(kept.entry, references=("CPO/99",))),
    "names erased": lambda kept: kept._replace(entry=replace(kept.entry, references=()), salt=None),
    "hash": lambda kept: kept._replace(link=kept.link._replace(hash=bytes(32))),
}


def wrong(kept: Sequence[Kept], heads: Sequence[Head] = HEAD, old: datetime = NOTHING_IS_OLD) -> list[str]:
    return list(faults(kept, heads, old))


def test_a_chain_that_nobody_touched_is_whole() -> None:
    assert wrong(WHOLE) == []
    assert wrong([], []) == []


@pytest.mark.parametrize("change", CHANGES)
@given(at=st.integers(0, len(WHOLE) - 1))
def test_an_entry_that_was_changed_is_found(change: str, at: int) -> None:
    touched = CHANGES[change](WHOLE[at])
    assert wrong([*WHOLE[:at], touched, *WHOLE[at + 1 :]], []) != []


@given(st.permutations(WHOLE).filter(lambda order: order != WHOLE))
def test_entries_in_another_order_are_found(order: list[Kept]) -> None:
    assert wrong(order, []) != []


@given(st.sets(st.integers(0, len(WHOLE) - 1), min_size=1))
def test_entries_that_were_taken_away_are_found_also_off_the_end_by_a_head_kept_elsewhere(gone: set[int]) -> None:
    assert wrong([kept for at, kept in enumerate(WHOLE) if at not in gone]) != []


def test_a_chain_that_was_written_anew_is_found_by_a_head_kept_elsewhere() -> None:
    forged = chain([replace(kept.entry, who="nobody") for kept in WHOLE])
    assert wrong(forged, []) == []
    assert wrong(forged) == ["entry 7 is not the one that was noted elsewhere"]


def test_two_notes_of_one_entry_that_differ_show_that_the_chain_was_written_anew_in_between() -> None:
    """In whichever order they are given, and though the later one is of the chain as it is now."""
    forged = chain([replace(kept.entry, who="nobody") for kept in WHOLE])
    for heads in ([*HEAD, noted(forged[-1])], [noted(forged[-1]), *HEAD]):
        for kept in (WHOLE, forged):
            assert wrong(kept, heads) == ["entry 7 is not the one that was noted elsewhere"]


def test_what_an_entry_says_that_was_changed_is_not_believed() -> None:
    """Were it nonsense."""
    kept = chain([*(one.entry for one in WHOLE), entry(8, references=())])
    kept[7] = kept[7]._replace(entry=replace(kept[7].entry, detail={ERASED: 3, TRIMMED: [], "unreadable": ""}))
    assert wrong(kept) == ["entry 8 was changed"]


def trimmed(after: Link) -> list[Kept]:
    """Return a chain of one entry, which says that all before it was deleted."""
    told = entry(9, references=(), detail={TRIMMED: {"number": after.number, "hash": after.hash.hex()}})
    return [Kept(told, link(told, after.number + 1, after.hash, b""), None)]


def test_a_chain_whose_whole_beginning_is_said_to_be_deleted_is_found_by_heads_kept_elsewhere() -> None:
    """A note is not set aside because an entry says so: what was noted lately is not old enough to be deleted."""
    heads, last = [noted(WHOLE[4]), noted(WHOLE[6])], WHOLE[-1].link
    assert wrong(trimmed(last), []) == []
    gone = [f"entry {number}, which was noted elsewhere, was deleted before its time" for number in (5, 7)]
    assert wrong(trimmed(last), heads) == gone
    assert wrong(trimmed(last), heads, old=WHOLE[6].entry.at) == gone[1:]
    assert wrong(trimmed(last), heads, old=NOON + timedelta(days=1)) == []
    undated = [head._replace(at=None) for head in heads]
    assert wrong(trimmed(last), undated, old=NOON + timedelta(days=1)) == gone


def test_the_head_after_which_a_chain_begins_is_the_one_that_was_noted() -> None:
    forged = WHOLE[-1].link._replace(hash=bytes(range(32)))
    assert wrong(trimmed(forged), [], old=NOON + timedelta(days=1)) == []
    found = wrong(trimmed(forged), old=NOON + timedelta(days=1))
    assert found == ["entry 7 is not the one that was noted elsewhere"]


def test_references_may_be_erased_where_an_entry_says_so() -> None:
    """And nowhere else."""
    kept = chain([*(one.entry for one in WHOLE), entry(8, kind=Kind.ACT, references=(), detail={ERASED: [3]})])
    kept[2] = CHANGES["names erased"](kept[2])
    assert wrong(kept) == []
    kept[3] = CHANGES["names erased"](kept[3])
    assert wrong(kept) == ["the references of entry 4 were taken away"]


def test_old_entries_may_be_deleted_where_an_entry_says_so() -> None:
    last = WHOLE[3].link
    told = {TRIMMED: {"number": last.number, "hash": last.hash.hex()}}
    kept = chain([*(one.entry for one in WHOLE), entry(8, kind=Kind.ACT, references=(), detail=told)])
    assert wrong(kept[4:]) == []
    assert wrong(kept[3:4] + kept[4:]) == ["entries up to 3 were taken away"]
    assert wrong(kept[5:]) == ["entries up to 5 were taken away"]


def test_what_stands_for_references_does_not_give_them_away() -> None:
    """Whoever knows the hash only cannot try references out: the salt goes with them."""
    one, other = about(["CPO/1"], b"one"), about(["CPO/1"], b"other")
    assert one != other
    assert about([], b"one") == b""
    assert isinstance(WHOLE[0].link, Link)
