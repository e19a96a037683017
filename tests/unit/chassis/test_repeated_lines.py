"""A library that repeats itself is cut short; nothing of ours is."""

import io
import json
import logging

from services.chassis import logs
from services.chassis.repeated_lines import LINES, Sparing
from services.chassis.settings import LogSettings


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def line(name: str, message: str = "cannot connect to %s") -> logging.LogRecord:
    return logging.LogRecord(name, logging.WARNING, __file__, 1, message, ("kafka:9092",), None)


def test_a_library_says_a_few_lines_a_minute_and_then_how_many_more_there_were() -> None:
    clock = Clock()
    spare = Sparing(clock)
    assert sum(spare.filter(line("kafka.conn")) for _ in range(5_000)) == LINES
    assert spare.filter(line("aiokafka")), "another has its own"
    assert all(spare.filter(line("services.records")) for _ in range(5_000))
    clock.now = 61
    again = line("kafka.conn")
    assert spare.filter(again)
    assert again.getMessage() == f"cannot connect to kafka:9092 (and {5_000 - LINES} lines more in the minute before)"
    quiet = line("kafka.conn")
    assert spare.filter(quiet)
    assert quiet.getMessage() == "cannot connect to kafka:9092"


def test_what_is_written_is_spared() -> None:
    written = io.StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        logs.configure(LogSettings(), "things", written)
        for number in range(200):
            logging.getLogger("kafka.test").warning("attempt %d", number)
            logging.getLogger("services.test").warning("attempt %d", number)
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    loggers = [json.loads(each)["logger"] for each in written.getvalue().splitlines()]
    assert (loggers.count("kafka.test"), loggers.count("services.test")) == (LINES, 200)
