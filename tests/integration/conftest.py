"""Topics by their real names, for the tests of all services."""

from functools import partial

import pytest

from tests.support.outside.topics import TopicsAnew, made_anew


@pytest.fixture
def topics_anew(kafka: str) -> TopicsAnew:
    """Return what has exactly these topics on the shared broker, for tests that use their real names."""
    return partial(made_anew, kafka)
