"""Commands for those who send events: judge a file, and send one."""

import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from contracts.authorities import current_code
from contracts.events import Topic
from contracts.lines import lines
from contracts.progress import Progress
from contracts.rejections import Rejection
from contracts.validation import Tally, Verdict, verdicts

commands = typer.Typer()


class Kind(StrEnum):
    """The topics, as they are named on the command line."""

    ORDERS = "orders"
    UNPAID_WORK = "unpaid-work"

    @property
    def topic(self) -> Topic:
        return Topic(f"{self}.events")


@commands.command()
def validate(
    file: Annotated[Path, typer.Argument(help="Events, one JSON object a line; - for standard input.")],
    authority: Annotated[
        str | None, typer.Option(help="Whose events they must be, as a code; else each event's own word counts.")
    ] = None,
    topic: Annotated[Kind | None, typer.Option(help="Where they will be sent; else wherever they belong.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Tell each fault, and the summary, as a line of JSON.")
    ] = False,
) -> None:
    """Tell what would be refused, and why. Sends nothing. Exit status 1 when anything is refused, or nothing is there."""
    code = _authority(authority)
    tell, tally = _as_json if as_json else _in_words, Tally()
    with _opened(file) as stream, Progress(_size(file)) as progress:
        for verdict in verdicts(lines(stream), topic.topic if topic else None, code):
            tally.count(verdict.content)
            if isinstance(verdict.content, Rejection):
                tell(verdict, verdict.content)
            progress.at(verdict.line.end, f"{tally.total:,} events, {tally.refused.total():,} refused")
    (_sum_as_json if as_json else _sum_in_words)(tally)
    if tally.refused or not tally.accepted:
        raise typer.Exit(1)


def _authority(given: str | None) -> str | None:
    code = current_code(given) if given is not None else None
    if given is not None and code is None:
        raise typer.BadParameter(f"{given} is no authority's code", param_hint="--authority")
    return code


def _opened(file: Path) -> "BinaryIO | nullcontext[BinaryIO]":
    if str(file) == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return file.open("rb")
    except OSError as fault:
        raise typer.BadParameter(f"{file} cannot be read: {fault.strerror}", param_hint="FILE") from None


def _size(file: Path) -> int | None:
    return file.stat().st_size if file.is_file() else None


Tell = Callable[[Verdict, Rejection], None]


def _in_words(verdict: Verdict, rejection: Rejection) -> None:
    typer.echo(f"line {verdict.line.number}: {rejection.reason} at {rejection.path}: {rejection.message}")


def _as_json(verdict: Verdict, rejection: Rejection) -> None:
    document = {
        "line": verdict.line.number,
        "id": rejection.id,
        "reason": str(rejection.reason),
        "path": rejection.path,
        "message": rejection.message,
        "remedy": rejection.reason.remedy,
    }
    typer.echo(json.dumps(document))


def _sum_in_words(tally: Tally) -> None:
    typer.echo(f"{tally.total:,} events: {tally.accepted:,} accepted, {tally.refused.total():,} refused")
    for reason, count in tally.refused.most_common():
        typer.echo(f"{count:>9,}  {reason}: {reason.remedy}")


def _sum_as_json(tally: Tally) -> None:
    refused = {str(reason): count for reason, count in tally.refused.most_common()}
    typer.echo(json.dumps({"events": tally.total, "accepted": tally.accepted, "refused": refused}))
