"""Every test has an id of its own: workers take tests by their ids, and of several with one id they would run one."""

from tests.conftest import not_alone


def test_an_id_of_several_tests_is_found() -> None:
    assert not_alone(["a.py::a", "a.py::b", "a.py::a", "b.py::a"]) == ["a.py::a"]
