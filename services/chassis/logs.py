"""Logs: one JSON object on each line, which says what happened and never to whom.

Payloads and people must not get in, whoever logs. So only kinds and places of exceptions are written, only the named members of `extra`,
and only those arguments of a message that cannot hold a payload.
"""

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import PurePath
from typing import TextIO

from services.chassis import tracing
from services.chassis.failures import Description, Failure, describe
from services.chassis.repeated_lines import Sparing
from services.chassis.settings import LogSettings

# Everything that `extra` may hold, in one place. Nothing about one person or one order.
MEMBERS = (
    "request_id",
    *("method", "route", "status", "seconds"),
    *("topic", "partition", "offset", "group", "shard"),
    *("count", "kind", "reason", "attempt"),
    *("authority", "schema", "revision", "release", "port"),
)
LONGEST_ARGUMENT = 200
LONGEST_MESSAGE = 2000
SIGNS_OF_A_PAYLOAD = ('"specversion"', "'specversion'", "specversion=")

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def configure(settings: LogSettings, service: str, stream: TextIO | None = None) -> None:
    """Send every logger of the process through the one formatter, to standard error."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(service))
    handler.addFilter(Sparing())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    _set_level(root, logging.getLevelNamesMapping()[settings.level])
    for logger in list(logging.root.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger):
            logger.handlers.clear()
            logger.propagate = True
    # Below this level they write about every poll and every connection.
    for name in ("aiokafka", "kafka", "faust", "mode", "sqlalchemy", "alembic", "asyncio"):
        _set_level(logging.getLogger(name), max(logging.WARNING, root.level))
    logging.captureWarnings(capture=True)


def _set_level(logger: logging.Logger, level: int) -> None:
    """Set a level that differs: each time, the library writes to every logger of the process, which forked ones share until then."""
    if logger.level != level:
        logger.setLevel(level)


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Return the record without anything that could be a payload."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "service": self._service,
            "logger": record.name,
            "message": _message(record),
        }
        if request_id.get() is not None:
            line["request_id"] = request_id.get()
        if (trace_id := tracing.trace_id()) is not None:
            line["trace_id"] = trace_id
        line |= {name: _harmless(record.__dict__[name]) for name in MEMBERS if name in record.__dict__}
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = _chain(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


def _message(record: logging.LogRecord) -> str:
    template = str(record.msg if isinstance(record.msg, str) else _harmless(record.msg))
    arguments = record.args
    if isinstance(arguments, tuple):
        arguments = tuple(_harmless(argument) for argument in arguments)
    elif arguments:
        arguments = {name: _harmless(argument) for name, argument in arguments.items()}
    try:
        message = template % arguments if arguments else template
    except (TypeError, ValueError, KeyError):
        message = template
    if any(sign in message for sign in SIGNS_OF_A_PAYLOAD):
        return "withheld: it looked like an event"
    return message[:LONGEST_MESSAGE]


def _harmless(value: object) -> object:
    """Return the value, or only its type if it could hold a payload."""
    match value:
        case None | bool() | int() | float() | Enum() | date() | PurePath() | Description():
            return value
        case str() if len(value) <= LONGEST_ARGUMENT:
            return value
        case Failure():
            return describe(value)
        case _:
            return f"<{type(value).__name__}>"


def _chain(error: BaseException) -> list[str]:
    """Return where the error came from, and the errors behind it."""
    chain: list[str] = []
    behind: BaseException | None = error
    while behind is not None:
        chain.append(describe(behind))
        behind = behind.__cause__ or behind.__context__
    return chain
