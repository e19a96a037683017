"""Tells words apart from those that deny them: `working` and `not working`, `successful` and `unsuccessful`. Pure."""

import re
from collections.abc import Iterator
from functools import lru_cache

from services.connect.extracts.cells import plain

_DENYING = frozenset(
    {
        *(
            "not",
            "no",
            "non",
            "never",
            "neither",
            "nor",
            "without",
            "cannot",
            "cant",
            "didnt",
            "doesnt",
            "dont",
            "hasnt",
        ),
        *("havent", "hadnt", "isnt", "arent", "wasnt", "werent", "wont", "couldnt", "failed", "lacks", "lack", "nt"),
    }
)
_BEFORE = ("un", "in", "im", "ir", "il", "dis", "non", "mis")
_BEHIND = ("less",)
_STEM = 4
"""So many letters must be the same for words to say the same."""
_CLAUSE = re.compile(r"\s[-\u2013\u2014]+\s|[,;:/()\[\].]")


@lru_cache(maxsize=16_384)
def opposed(one: str, other: str) -> bool:
    """Return whether two texts share what one of them denies and the other does not. What is denied twice is not denied."""
    return any(
        denied != against and _same(stem, of)
        for stem, denied in _told(one)
        for of, against in _told(other)
    )  # fmt: skip


@lru_cache(maxsize=16_384)
def _told(text: str) -> tuple[tuple[str, bool], ...]:
    """Return the words of a text, each with whether it is denied; a word such as `unpaid` counts as itself and as a denied `paid`."""
    return tuple(_words(text.replace("n't ", "nt ").replace("n\u2019t ", "nt ")))


def _words(text: str) -> Iterator[tuple[str, bool]]:
    for clause in _CLAUSE.split(text.replace("_", " ").casefold()):
        denied = after = False
        for word in plain(clause).split():
            if word in _DENYING:
                denied, after = not (denied and after), True
                continue
            denied, after = denied and word != "but", False
            yield word, denied
            yield from ((rest, not denied) for rest in _without_denial(word))


def _without_denial(word: str) -> Iterator[str]:
    yield from (word.removeprefix(sign) for sign in _BEFORE if word.startswith(sign) and len(word) >= len(sign) + _STEM)
    yield from (word.removesuffix(sign) for sign in _BEHIND if word.endswith(sign) and len(word) >= len(sign) + 3)


def _same(one: str, other: str) -> bool:
    """Return whether two words begin alike, as `work`, `works` and `working` do."""
    short, long = sorted((one, other), key=len)
    common = next((n for n, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return common == len(long) or (common >= _STEM and common >= len(short) - 2)
