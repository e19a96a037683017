"""Finds the known words that a heading or a cell stands for, however an office shortens them. Pure."""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import lru_cache

from contracts.codes import Code
from services.connect.extracts.cells import plain
from services.connect.mapping.opposites import opposed
from services.connect.mapping.words import GRAVE, OTHER_WORDS, SHORT

CLOSE = 0.84
"""From this likeness on, a heading counts as another spelling of a usual one."""
SURE = 0.97
"""From this likeness on, there is no doubt: the same words, perhaps shortened."""
_SAME_WORDS = 0.86
"""The likeness of two that share most words but are spelled differently: likely, but less so than nearly the same letters."""
_SHARED = 0.66
_STEM = 5
_FORMAT = re.compile(r"[(\[](?:[dmy]+(?:[/. -]?[dmy]+)+|y(?:es)? ?[/|,-] ?n(?:o)?)[)\]]", re.IGNORECASE)
"""What some headings state of their cells: the format of dates, or that they say yes or no."""
_EMPTY = frozenset({"of", "on", "to", "the", "in", "at", "was", "is", "or", "and", "a", "date", "by", "it", "court"})


_ABOUT = frozenset({"order", "orders", "cpo"})
"""Words for what all words of a column are about."""


@lru_cache(maxsize=4096)
def spoken(text: str) -> str:
    """Return a heading in whole words: `UW (hrs)` becomes `unpaid work hours`."""
    return " ".join(SHORT.get(word, word) for word in plain(_FORMAT.sub("", text)).split())


@lru_cache(maxsize=16_384)
def likeness(text: str, name: str) -> float:
    """Return the likeness of a heading and a usual name, from 0 to 1."""
    one, other = spoken(text), spoken(name)
    if one == other:
        return 1.0 if plain(text) == plain(name) else SURE
    shared = _SAME_WORDS if _share(one, other) >= _SHARED else 0.0
    return min(max(shared, SequenceMatcher(None, one, other).ratio()), SURE - 0.01)


def likeliest(text: str, names: Iterable[str]) -> tuple[float, str]:
    """Return the likeness of the most likely of the names, and the name."""
    return max(((likeness(text, name), name) for name in names), default=(0.0, ""), key=lambda one: one[0])


def holds_name(text: str, names: Iterable[str]) -> bool:
    """Return whether a heading has all words of one of the names, among others: `Court (in full)` has `court`."""
    own = set(spoken(text).split())
    return any(own >= set(spoken(name).split()) for name in names)


def meant(word: str, kind: type[Code]) -> list[Code]:
    """Return the codes that an office's own word may mean: one if there is little doubt, several if it could be any of them."""
    if same := [one for one in kind if means(word, one)]:
        return same
    ratios = {one: max((likeness(word, phrase) for phrase in _not_opposed(word, one)), default=0.0) for one in kind}
    best = max(ratios, key=lambda one: ratios[one])
    if ratios[best] >= CLOSE and (best not in GRAVE or says_no_more(word, best)):
        return [best]
    return [one for one in kind if any(_within(word, phrase) for phrase in _not_opposed(word, one))]


def asked_about(word: str, kind: type[Code]) -> list[Code]:
    """Return the codes about which a person is asked, since the word only resembles theirs: none that would be graver than the word."""
    said = {one: _said(word, one) for one in meant(word, kind)}
    most = max(said.values(), default=0.0)
    return [one for one, much in said.items() if much == most and (one not in GRAVE or says_no_more(word, one))]


def _said(word: str, code: Code) -> float:
    """Return how much of a phrase for the code the word says, from 0 to 1; the most of any of its phrases."""
    own = _telling(spoken(word))
    wanted = (_telling(spoken(phrase)) for phrase in _not_opposed(word, code))
    return max((_stems(phrase, own) / len(phrase) for phrase in wanted if phrase), default=0.0)


def _not_opposed(word: str, code: Code) -> list[str]:
    """Return the phrases for a code; none if one of them denies what the word says, or says what it denies."""
    phrases = _phrases(code)
    denied = any(opposed(word, phrase) or opposed(word, spoken(phrase)) for phrase in phrases)
    return [] if denied else phrases


def says_no_more(word: str, code: Code) -> bool:
    """Return whether each significant word is one of a phrase for the code: `no show - sick` says more than `no show`."""
    own = [one for one in _telling(spoken(word)) if one not in _ABOUT]
    return bool(own) and any(_all_in(own, _telling(spoken(phrase))) for phrase in _phrases(code))


def means(word: str, code: Code) -> bool:
    """Return whether the word is the code in all but spelling: the same whole words."""
    return any(spoken(word) == spoken(phrase) for phrase in _phrases(code))


def _phrases(code: Code) -> list[str]:
    own = [word for word, meaning in OTHER_WORDS.get(type(code), {}).items() if meaning == code and len(word) > 1]
    return [str(code).replace("_", " "), code.label, *own]


def _within(word: str, phrase: str) -> bool:
    """Return whether the word says everything that the phrase does, or is itself one of its significant words."""
    own, wanted = _telling(spoken(word)), _telling(spoken(phrase))
    return bool(own and wanted) and (_all_in(wanted, own) or (len(own) < 4 and _stems(own, wanted) > 0))


def _share(one: str, other: str) -> float:
    own, wanted = _telling(one), _telling(other)
    shared = _stems(own, wanted)
    return shared / (len(own) + len(wanted) - shared) if shared else 0.0


def _telling(text: str) -> list[str]:
    return [word for word in text.split() if word not in _EMPTY]


def _stems(own: list[str], wanted: list[str]) -> int:
    return sum(any(_same_stem(word, other) for other in wanted) for word in own)


def _all_in(wanted: list[str], own: list[str]) -> bool:
    return all(any(_same_stem(word, other) for other in own) for word in wanted)


def _same_stem(one: str, other: str) -> bool:
    """Return whether two words share a stem: `sentenced` and `sentence`, `superv` and `supervision`; but not `work` and `workshop`."""
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    common = next((n for n, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return common >= _STEM and common >= len(short) - 2
