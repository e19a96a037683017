"""Parts are asked in turn: all of them, after as many turns as there are."""

import subprocess
import sys
from itertools import product

import pytest

from tests.integration.reporting.disclosure.test_attack import DIVIDED, FORMATS, OF_EVERY_KIND
from tests.support.generated import thorough
from tests.support.generated.fuzzing import BODIES, HALF_AN_ADDRESS, KINDS, NO_NAMES, WORDS, third_of_words
from tests.support.generated.thorough import comes, examples, turns
from tests.support.source import ROOT


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thorough, "THOROUGH", False)


@pytest.mark.parametrize("some", [1, 2, 3])
@pytest.mark.parametrize("each", [DIVIDED, FORMATS, OF_EVERY_KIND, HALF_AN_ADDRESS, NO_NAMES, KINDS], ids=len)
def test_all_come_in_turn(each: tuple[str, ...], some: int) -> None:
    told = [turns(each, turn, some) for turn in range(len(each))]
    assert {len(found) for found in told} == {min(some, len(each))}
    assert {one for found in told for one in found} == {*each}


def test_any_two_come_together() -> None:
    """Each release has each kind and each way to divide; each kind has each way to divide."""
    asked = [
        (release, name, by)
        for release in range(11)
        for place, name in enumerate(OF_EVERY_KIND)
        for by in turns(DIVIDED, release + place)
    ]
    assert {(release, by) for release, _, by in asked} == {*product(range(11), DIVIDED)}
    assert {(name, by) for _, name, by in asked} == {*product(OF_EVERY_KIND, DIVIDED)}
    bodies = {
        (body, kind) for turn in range(5) for place, body in enumerate(BODIES) for kind in turns(KINDS, turn + place, 2)
    }
    assert bodies == {*product(BODIES, KINDS)}
    assert {word for turn in range(3) for word in third_of_words(turn)} == {*WORDS}


def test_each_of_several_has_a_turn() -> None:
    come = [place for turn in range(3) for place in range(30) if comes(turn + place, of=3)]
    assert sorted(come) == [*range(30)]


def test_all_are_asked_at_night(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thorough, "THOROUGH", True)
    assert turns(DIVIDED, 3) == DIVIDED
    assert all(comes(turn, of=3) for turn in range(9))
    assert examples(5) == 40


def test_the_processes_of_a_run_ask_the_same_part() -> None:
    """Whichever is started later, also on the next day."""
    said = "from tests.support.generated.thorough import TURN; print(TURN)"
    assert int(subprocess.check_output([sys.executable, "-c", said], cwd=ROOT, text=True)) == thorough.TURN > 0
