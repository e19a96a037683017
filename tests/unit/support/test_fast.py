"""`--fast` leaves out what starts a part, and nothing else: a fixture is known by where it was defined, not by its name."""

from collections.abc import Callable

import pytest

from tests import conftest
from tests.conftest import PARTS, needs_parts, starts_parts


@pytest.fixture
def browser() -> str:
    """Return what is no browser, under the name of one."""
    return "a client of HTTP"


@pytest.fixture
def kafka(kafka: str) -> str:
    """Return the broker of all tests, by a fixture that only goes between."""
    return kafka


def starts(request: pytest.FixtureRequest, test: Callable[..., None]) -> bool:
    """Return whether a test beside those here would start a part."""
    info = request.session._fixturemanager.getfixtureinfo(request.node, test, None)
    return starts_parts(info.name2fixturedefs)


def test_a_fixture_that_only_bears_the_name_of_a_part_is_quick(request: pytest.FixtureRequest, browser: str) -> None:
    assert browser
    assert not needs_parts(request.node)


def test_a_part_is_known_through_fixtures_that_ask_for_it(request: pytest.FixtureRequest) -> None:
    def above(migrated: object) -> None: ...

    def between(kafka: object) -> None: ...

    def neither(browser: object, tmp_path: object) -> None: ...

    assert [starts(request, test) for test in (above, between, neither)] == [True, True, False]


def test_the_names_of_the_parts_are_those_of_fixtures() -> None:
    assert {name for name in PARTS if not hasattr(conftest, name)} == set()
