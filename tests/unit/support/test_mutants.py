"""A sample of changes can be drawn again, and the table counts each change once."""

from tests.support.reports.mutants import Change, changes, drawn, table

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
