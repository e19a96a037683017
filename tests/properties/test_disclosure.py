"""An attacker with integer programming gets no protected number out of what is public. From a weakened gate, it gets some."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.reporting.disclosure.alternative_tables import Split, Table, protect, small_numbers
from tests.support.attack import recovered

AUTHORITIES = 4


def table(seed: int, *, months: int, complete: bool, mean: float) -> Table:
    """A total split in two ways, one of which leaves a rest."""
    rng = np.random.default_rng(seed)
    sizes = rng.gamma(1.0, mean, AUTHORITIES)
    total = rng.poisson(sizes[:, None] * np.ones(months)).astype(np.int64)
    splits = [Split(total[:, :, None], np.ones((1, 1), np.bool_))]
    for categories, rest in ((3, False), (4, True)):
        chances = rng.dirichlet(np.ones(categories) * 0.7)
        values = np.array([[rng.multinomial(cell, chances) for cell in row] for row in total]).astype(np.int64)
        group = np.zeros((1, categories), np.bool_)
        group[0, :2] = True
        forms = np.concatenate([np.eye(categories, dtype=np.bool_), group])
        splits.append(Split(values, forms, rest=rest))
    return Table(splits, complete, small=4, step=1)


def weaken(found: Table) -> None:
    """Hide small counts and nothing else, as a gate without secondary suppression would."""
    for split in found.splits:
        sums = split.sums(split.values)
        split.hidden = (sums > 0) & (sums <= found.small)


cases = st.builds(
    table,
    st.integers(0, 2**32 - 1),
    months=st.integers(1, 3),
    complete=st.booleans(),
    mean=st.sampled_from([3.0, 8.0, 20.0]),
)


@settings(max_examples=12, deadline=None)
@given(cases, st.randoms(use_true_random=False))
def test_no_small_number_can_be_worked_out(found: Table, chance: Random) -> None:
    assert protect(found) == []
    numbers = list(small_numbers(found))
    chance.shuffle(numbers)
    for number in numbers[:12]:
        assert not recovered(found, number), number


@settings(max_examples=8, deadline=None)
@given(cases, st.randoms(use_true_random=False))
def test_nor_by_an_authority_that_knows_its_own_figures(found: Table, chance: Random) -> None:
    assert protect(found) == []
    numbers = [number for number in small_numbers(found) if number.area >= 0]
    chance.shuffle(numbers)
    for number in numbers[:6]:
        for insider in range(AUTHORITIES):
            if insider != number.area:
                assert not recovered(found, number, insider), (number, insider)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_attack_works_on_a_gate_that_only_hides_small_counts(seed: int) -> None:
    found = table(seed, months=2, complete=True, mean=8.0)
    weaken(found)
    assert any(recovered(found, number) for number in small_numbers(found))


def test_what_earlier_releases_told_is_never_relied_on() -> None:
    found = table(5, months=3, complete=False, mean=8.0)
    protect(found)
    told = [~split.hidden for split in found.splits]
    later = table(5, months=3, complete=False, mean=8.0)
    for split, known in zip(later.splits, told, strict=True):
        split.known |= known
        split.hidden |= ~known
    assert protect(later) == []
    for split, known in zip(later.splits, told, strict=True):
        assert not (split.hidden & known)[:, :, :-1].any()
