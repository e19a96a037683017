"""Failures told apart."""

from itertools import islice

from services.chassis.failures import Away, backoff, describe


def test_backoff_doubles_up_to_the_longest_and_varies() -> None:
    most = [0.2, 0.4, 0.8, 1.0, 1.0]
    for _ in range(100):
        delays = list(islice(backoff(0.2, 1.0), 5))
        assert all(limit / 2 <= delay <= limit for delay, limit in zip(delays, most, strict=True))
    assert len(set(islice(backoff(1, 1), 100))) > 1


def test_a_foreign_error_tells_its_place_and_never_its_message() -> None:
    def broken() -> None:
        raise ValueError("person-of-the-payload")

    try:
        broken()
    except ValueError as error:
        told = describe(error)
    assert "ValueError" in told
    assert "test_failures.py" in told
    assert "broken" in told
    assert "person-of" not in told


def test_our_own_failure_tells_its_message() -> None:
    assert describe(Away("Kafka does not answer")) == "Away: Kafka does not answer"
