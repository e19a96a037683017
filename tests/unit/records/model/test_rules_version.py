"""The version of the rules follows from what the counting imports: what changes a number changes it, and what does not, does not."""

import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from services.orders import contributions as orders
from services.records.model import rules_version as under_test
from services.records.model.bank_holidays import scotland
from services.records.model.rules_version import OURS, code_of, rules_version
from services.unpaid_work import contributions as unpaid_work

LISTS = 'LEVELS = ("1", "2")\n'
LIMITS = "LIMIT = 5\n"
COUNTING = (
    "from {name} import lists\nfrom {name}.limits import LIMIT\n\ndef add(n):\n    return n <= LIMIT and lists.LEVELS\n"
)
NUMBERS = count()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield three modules: one that counts, and two that it imports, each in its own way."""
    folder = tmp_path / f"made_up_{next(NUMBERS)}"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, code in (("__init__", ""), ("lists", LISTS), ("limits", LIMITS), ("unused", LISTS)):
        (folder / f"{name}.py").write_text(code)
    (folder / "counting.py").write_text(COUNTING.format(name=folder.name))
    yield folder
    for module in [name for name in sys.modules if name.startswith(folder.name)]:
        del sys.modules[module]


def read(folder: Path) -> dict[str, str]:
    under_test._file.cache_clear()
    return code_of([f"{folder.name}.counting"], (folder.name,))


def written(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        file = folder / f"{name}.py"
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))

    return change


def moved(folder: Path) -> None:
    """Move the list to another module, which the counting imports only through this one, and change it there."""
    (folder / "elsewhere.py").write_text('LEVELS = ("1", "2", "3")\n')
    (folder / "lists.py").write_text(f"from {folder.name}.elsewhere import LEVELS\n")


NOTHING = {
    "a comment": written("lists", LISTS, f"# Why there are two.\n{LISTS}"),
    "a docstring of a module": written("limits", LIMITS, f'"""In working days."""\n{LIMITS}'),
    "a docstring of a name": written("lists", LISTS, f'{LISTS}"""As published."""\n'),
    "a docstring of a function": written("counting", "    return", '    """Counts."""\n    return'),
    "the layout": written("lists", '("1", "2")', '(\n    "1",\n    "2",\n)'),
    "a module that it does not import": written("unused", "2", "3"),
}
SOMETHING = {
    "a list of codes": written("lists", '"2"', '"3"'),
    "a limit": written("limits", "5", "6"),
    "the counting itself": written("counting", "<=", "<"),
    "a list that moved": moved,
}


@pytest.mark.parametrize("name", NOTHING)
def test_what_changes_no_number_changes_nothing(package: Path, name: str) -> None:
    before = read(package)
    NOTHING[name](package)
    assert read(package) == before


@pytest.mark.parametrize("name", SOMETHING)
def test_what_may_change_a_number_is_noticed(package: Path, name: str) -> None:
    before = read(package)
    SOMETHING[name](package)
    assert read(package) != before


def test_a_list_that_moved_is_still_watched(package: Path) -> None:
    moved(package)
    before = read(package)
    written("elsewhere", '"3"', '"4"')(package)
    assert read(package) != before


@pytest.mark.parametrize("counting", [orders, unpaid_work])
def test_it_looks_at_all_that_the_counting_loads(counting: object) -> None:
    """Whatever of ours can be reached from the module by its own names, the digest has too."""
    name = getattr(counting, "__name__", "")
    seen = code_of([name], OURS)
    assert {
        "contracts.codes",
        "contracts.categories",
        "contracts.cells",
        "contracts.events",
        "contracts.periods",
    } <= seen.keys()
    assert {
        f"services.records.model.{each}" for each in ("standards", "deadlines", "findings", "calendar")
    } <= seen.keys()
    reached = {
        value.__module__ for value in vars(counting).values() if getattr(value, "__module__", "").startswith(OURS)
    }
    assert reached <= seen.keys()


def test_it_is_another_with_another_calendar_or_service() -> None:
    one, other = scotland(), scotland().without([], "other")
    versions = {
        rules_version(calendar, name) for calendar in (one, other) for name in (orders.__name__, unpaid_work.__name__)
    }
    assert len(versions) == 4
    assert rules_version(one, orders.__name__) == rules_version(scotland(), orders.__name__)
