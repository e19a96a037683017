"""Commands for those who send events: check a file, and send one."""

import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from enum import StrEnum
from io import BufferedReader
from pathlib import Path
from typing import Annotated, Any, BinaryIO, NoReturn

import typer

from contracts.authorities import current_code
from contracts.client import Client, NotSent, Spool, SpoolBusy, SpoolFull
from contracts.client.delivery import Sign, unsigned
from contracts.client.publication import FileChanged, Publication, State
from contracts.clock import system_clock
from contracts.decoding.foreign import ENOUGH, kind_of_file
from contracts.decoding.lines import lines
from contracts.decoding.validation import Tally, Verdict, verdicts
from contracts.events import Topic
from contracts.progress import Progress
from contracts.rejections import Reason, Rejection

commands = typer.Typer()


class Kind(StrEnum):
    """The topics, as they are named on the command line."""

    ORDERS = "orders"
    UNPAID_WORK = "unpaid-work"

    @property
    def topic(self) -> Topic:
        return Topic(f"{self}.events")


@commands.command(
    help="List what would be refused, and why. Sends nothing. Exit status 1 if anything is refused, or if the file holds no events."
)
def validate(
    file: Annotated[Path, typer.Argument(help="Events, one JSON object on each line; - for standard input.")],
    authority: Annotated[
        str | None,
        typer.Option(help="Code of the authority that every event must name; by default each event's own."),
    ] = None,
    topic: Annotated[
        Kind | None,
        typer.Option(help="The service that they will be sent to; by default the one that each belongs to."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each refusal, and the summary, as a line of JSON.")
    ] = False,
) -> None:
    code = _authority(authority)
    tell, tally = _as_json if as_json else _in_words, Tally()
    with _opened(file) as stream, Progress(_size(file)) as progress:
        if words := kind_of_file(stream.peek(ENOUGH)):
            _tell_foreign(words, as_json)
            raise typer.Exit(1)
        for verdict in verdicts(lines(stream), system_clock(), topic.topic if topic else None, code):
            tally.count(verdict.content)
            if isinstance(verdict.content, Rejection):
                tell(verdict, verdict.content)
            progress.at(verdict.line.end, f"{_events(tally.total)}, {tally.refused.total():,} refused")
    (_sum_as_json if as_json else _sum_in_words)(tally)
    if tally.refused or not tally.accepted:
        raise typer.Exit(1)


@commands.command(
    help=(
        "Send a file. If it is stopped, it goes on from there when it is run again, and also sends lines added or "
        "corrected meanwhile.\n\n"
        "Exit status: 0 all accepted, 1 some refused, 3 the platform does not accept them, 4 the platform is away: run "
        "it again."
    ),
)
def publish(  # noqa: PLR0913, PLR0917
    file: Annotated[Path, typer.Argument(help="Events, one JSON object on each line.")],
    orders: Annotated[str, typer.Option(help="Address of the service of orders.")],
    unpaid_work: Annotated[str, typer.Option(help="Address of the service of unpaid work.")],
    token_file: Annotated[
        Path, typer.Option(help="A file that holds the token, and nothing else. Read for each request.")
    ],
    receipts: Annotated[
        Path | None,
        typer.Option(
            help="The file for the result of each line, as lines of JSON; by default beside the file of events."
        ),
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Start again from the first line, whatever was sent before.")
    ] = False,
    patience: Annotated[
        float, typer.Option(min=0, help="How long to go on trying while the platform is away, in seconds.")
    ] = 600,
    signing_key: Annotated[
        Path | None,
        typer.Option(exists=True, help="Sign each event with this key, made by `payback receipt new-key`."),
    ] = None,
) -> None:
    _check_lines(file)
    spool_path, receipts = Path(f"{file}.spool"), receipts or Path(f"{file}.receipts.ndjson")
    addresses = {Topic.ORDERS: orders, Topic.UNPAID_WORK: unpaid_work}
    token, sign = lambda: token_file.read_text().strip(), _signer(signing_key)

    def begun(stream: BinaryIO, spool: Spool) -> Publication:
        return Publication(stream, spool, Client(spool, addresses, token, patience=patience, sign=sign), receipts)

    with _opened(file) as stream:
        try:
            if restart or _changed(stream, spool_path, begun):
                _forget(spool_path, receipts)
            with Spool(spool_path) as spool, Progress(_size(file)) as progress:
                publication = begun(stream, spool)
                complete = publication.run(lambda state: progress.at(state.end, _so_far(state)))
        except (NotSent, FileChanged, SpoolBusy, SpoolFull) as fault:
            typer.echo(f"{fault}. Nothing is lost; run it again to go on.", err=True)
            raise typer.Exit(3) from None
    state = publication.state
    typer.echo(f"{_so_far(state)}; receipts are in {receipts}")
    for reason, count in sorted(state.refused.items(), key=lambda pair: -pair[1]):
        typer.echo(f"{count:>9,}  {reason}: {Reason.of(reason).remedy}")
    if not complete:
        _end_away()
    if state.refused:
        raise typer.Exit(1)


def _changed(stream: BinaryIO, spool_path: Path, begun: Callable[[BinaryIO, Spool], Publication]) -> bool:
    """Return whether lines that were read have been corrected since; what waits of the earlier ones is sent first."""
    if not spool_path.exists():
        return False
    with Spool(spool_path) as spool:
        publication = begun(stream, spool)
        if not publication.is_of_another_file():
            return False
        if not publication.finish():
            _end_away()
    typer.echo("The file was changed: it is sent from its first line. What was accepted before counts once.", err=True)
    return True


def _forget(spool_path: Path, receipts: Path) -> None:
    for path in (receipts, *spool_path.parent.glob(f"{spool_path.name}*")):
        path.unlink(missing_ok=True)


def _end_away() -> NoReturn:
    typer.echo("the platform is away; run it again to go on", err=True)
    raise typer.Exit(4)


def _signer(path: Path | None) -> Sign:
    """Return what signs events. It is imported only if it is needed, since its library is optional."""
    if path is None:
        return unsigned
    from contracts.receipts.signed import signer  # noqa: PLC0415

    try:
        return signer(path.read_bytes())
    except ValueError as fault:
        raise typer.BadParameter(f"{path}: {fault}", param_hint="--signing-key") from None


def _check_lines(file: Path) -> None:
    if not file.is_file():
        raise typer.BadParameter(f"no such file: {file}", param_hint="FILE")
    with file.open("rb") as stream:
        if words := kind_of_file(stream.peek(ENOUGH)):
            raise typer.BadParameter(f"this is {words}", param_hint="FILE")


def _tell_foreign(words: str, as_json: bool) -> None:
    if as_json:
        fault = {"line": None, "id": None, "reason": str(Reason.NOT_JSON), "path": "$", "message": f"this is {words}"}
        typer.echo(json.dumps(fault | {"remedy": Reason.NOT_JSON.remedy}))
        typer.echo(json.dumps({"events": 0, "accepted": 0, "refused": {}}))
    else:
        typer.echo(f"this is {words}")


def _so_far(state: State) -> str:
    return f"{state.accepted:,} accepted, {sum(state.refused.values()):,} refused"


def _authority(given: str | None) -> str | None:
    code = current_code(given) if given is not None else None
    if given is not None and code is None:
        raise typer.BadParameter(f"{given} is not an authority's code", param_hint="--authority")
    return code


def _opened(file: Path) -> "BufferedReader | nullcontext[BufferedReader]":
    if str(file) == "-":
        given: Any = sys.stdin.buffer
        return nullcontext(given if isinstance(given, BufferedReader) else BufferedReader(given))
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
    typer.echo(f"{_events(tally.total)}: {tally.accepted:,} accepted, {tally.refused.total():,} refused")
    for reason, count in tally.refused.most_common():
        typer.echo(f"{count:>9,}  {reason}: {reason.remedy}")


def _events(count: int) -> str:
    return f"{count:,} event{'' if count == 1 else 's'}"


def _sum_as_json(tally: Tally) -> None:
    refused = {str(reason): count for reason, count in tally.refused.most_common()}
    typer.echo(json.dumps({"events": tally.total, "accepted": tally.accepted, "refused": refused}))
