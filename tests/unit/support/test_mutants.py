"""A sample of changes can be drawn again, and the table counts each change once."""

from pathlib import Path

import pytest

from tests.support.reports import mutants
from tests.support.reports.mutants import Change, again, changes, command_of, drawn, missed, table
from tests.support.source import ROOT

LISTED = [
    *(f"    one.module.x_f__mutmut_{number}: not checked" for number in range(40)),
    *(
        f"    another.xǁKindǁf__mutmut_{number}: {status}"
        for number, status in enumerate(["killed", "survived", "timeout"])
    ),
    "",
]


def test_the_same_sample_is_drawn_again_whatever_the_order() -> None:
    found = list(changes(LISTED))
    names = drawn(found, 10)
    assert names == drawn(reversed(found), 10)
    assert len(names) == len(set(names)) == 13
    assert names != drawn(found, 10, seed=11)
    assert names[:4] == drawn(found, 2), "a larger sample begins with the smaller one"


def test_of_a_larger_sample_every_module_gives_all_it_has() -> None:
    assert sorted(drawn(changes(LISTED), 100)) == sorted(each.name for each in changes(LISTED))


def test_the_table_counts_by_module() -> None:
    assert list(table(changes(LISTED)))[2:] == [
        "| `another.py` | 3 | 3 | 2 | 1 |",
        "| `one/module.py` | 40 | 0 | 0 | 0 |",
    ]


def test_a_name_may_hold_what_mutmut_puts_between() -> None:
    assert list(changes(["    a.xǁBǁc__mutmut_1: no tests"])) == [Change("a.xǁBǁc__mutmut_1", "no tests")]


def test_what_was_tried_and_not_noticed_was_missed() -> None:
    assert missed(changes(LISTED)) == ["another.xǁKindǁf__mutmut_1"]


def test_the_tests_that_run_again_are_there() -> None:
    places = [each.partition("::")[0] for each in command_of(ROOT / "pyproject.toml") if each.startswith("tests/")]
    assert len(places) > 10
    assert [each for each in places if not (ROOT / each).exists()] == []


@pytest.mark.parametrize(
    ("test", "told"),
    [
        ("import os; assert not os.environ['MUTANT_UNDER_TEST']", ["nothing changed: not noticed", "a.b: noticed"]),
        ("assert False", ["nothing changed: noticed"]),
    ],
)
def test_a_change_is_made_before_anything_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, test: str, told: list[str]
) -> None:
    """And is not said to be noticed where tests fail without it."""
    (tmp_path / "mutants").mkdir()
    (tmp_path / "mutants" / "test_one.py").write_text(f"def test_one(): {test}")
    monkeypatch.setattr(mutants, "command_of", lambda _: ["-q", "-p", "no:cacheprovider", "test_one.py"])
    assert list(again(["a.b"], tmp_path / "pyproject.toml")) == told
