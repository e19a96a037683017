"""The commands of an authority about signed receipts: get them, and check them without the platform."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import httpx
import msgspec
import typer

from contracts.client.private import private
from contracts.receipts.keys import PublicKeys, new_key, unchecked
from contracts.receipts.receipt import Growth, NotProven, Receipt, entry_of, grown, is_about, read_receipt
from contracts.receipts.signed import check_signature

commands = typer.Typer()
receipt = typer.Typer(
    no_args_is_help=True,
    help="Prove that the platform accepted an event, and that it never changed or removed accepted events. Exit "
    "status: 0 proven, "
    "1 not proven, 3 the platform refuses it, 4 the platform is away.",
)
commands.add_typer(receipt, name="receipt")

Address = Annotated[str, typer.Option("--from", help="Address of the service that accepted the event.")]
TokenFile = Annotated[Path, typer.Option(exists=True, help="A file that holds the token, and nothing else.")]
Out = Annotated[Path, typer.Option(help="The file to write.")]
Keys = Annotated[
    Path, typer.Option(exists=True, help="The platform's public keys, as saved by `payback receipt keys`.")
]
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A file written by `payback receipt fetch`.")]


class NotGiven(Exception):
    """The platform does not give what was asked for."""

    exit_status = 3


class Away(Exception):
    """The platform is unavailable for now."""

    exit_status = 4


@receipt.command(
    name="keys",
    help="Get the keys by which heads are checked. Compare their names with those that the operators told you in "
    "another way, and keep the file.",
)
def get_keys(address: Address, out: Out) -> None:
    found = _ask(address, "keys")
    keys = _keys(found)
    out.write_bytes(found)
    typer.echo(f"{out}: {', '.join(keys.names) or 'no key yet'}")


@receipt.command(
    help="Fetch the receipt of an event that was accepted before today, or the latest head, as a file to keep."
)
def fetch(
    address: Address,
    token_file: TokenFile,
    out: Out,
    event_id: Annotated[
        str | None, typer.Argument(help="The id of the event; without it, only the latest head.")
    ] = None,
    since: Annotated[
        Path | None, typer.Option(exists=True, help="An earlier file, to which the new one can then be compared.")
    ] = None,
    event: Annotated[
        Path | None,
        typer.Option(exists=True, help="The exact event, in case another system used the same id."),
    ] = None,
) -> None:
    token = token_file.read_text().strip()
    found = _receipt(address, token, event_id, event.read_bytes() if event else None)
    if since is not None:
        old = unchecked(_read(since).head).size
        sizes = f"old={old}&new={unchecked(found.head).size}"
        growth = msgspec.json.decode(_ask(address, f"consistency?{sizes}", token), type=Growth)
        found = msgspec.structs.replace(found, since=growth)
    private(out).write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    typer.echo(f"{out}: written")


@receipt.command(help="Check, without the platform, that a receipt proves that an event was accepted.")
def verify(
    file: File,
    keys: Keys,
    event: Annotated[
        Path | None, typer.Option(exists=True, help="The event exactly as it was sent, to compare it too.")
    ] = None,
    signers: Annotated[
        Path | None,
        typer.Option(exists=True, help="The authority's public keys: the event must be signed by one of them."),
    ] = None,
) -> None:
    found = _read(file)
    if signers is not None:
        _check_signers(event, signers)
    head = _keys(keys.read_bytes()).head(found.head)
    if found.leaf is not None:
        entry = entry_of(found.leaf, head, event.read_bytes() if event else None)
        compared = "with the bytes of the file" if event else "its bytes were not compared: give --event"
        typer.echo(
            f"proven: {entry.type} {entry.id} was accepted at {entry.accepted:%Y-%m-%d %H:%M:%S} UTC, {compared}"
        )
    elif event is not None:
        raise NotProven(f"{file} is about a head, and not about an event")
    accepted = (
        f"{head.size} event of {head.topic} was" if head.size == 1 else f"{head.size} events of {head.topic} were"
    )
    typer.echo(f"proven: by the end of {head.day} {accepted} accepted")


@receipt.command(help="Check, without the platform, that it only added events between two files.")
def compare(old: File, new: File, keys: Keys) -> None:
    checked, after = _keys(keys.read_bytes()), _read(new)
    first, second = checked.head(_read(old).head), checked.head(after.head)
    grown(first, second, after.since)
    held = f"event up to {first.day} is" if first.size == 1 else f"{first.size} events up to {first.day} are"
    typer.echo(f"proven: the {held} the first of the {second.size} up to {second.day}")


@receipt.command(
    name="new-key",
    help="Make a key with which an authority signs its events, and write beside it the public half to register.",
)
def make_key(path: Annotated[Path, typer.Argument(help="The file to write, which only you can read.")]) -> None:
    try:
        key = new_key(path)
    except FileExistsError:
        raise typer.BadParameter(f"{path} exists already", param_hint="PATH") from None
    public = path.with_name(f"{path.name}.public.json")
    public.write_bytes(msgspec.json.encode({"keys": [key.public]}) + b"\n")
    typer.echo(f"{path}: key {key.name}; its public half is {public}")


def _check_signers(event: Path | None, signers: Path) -> None:
    if event is None:
        raise typer.BadParameter("give the event with --event, whose signature is checked", param_hint="--signers")
    check_signature(event.read_bytes(), _keys(signers.read_bytes()))
    typer.echo("proven: the authority signed the event")


def _receipt(address: str, token: str, event_id: str | None, event: bytes | None) -> Receipt:
    if event_id is not None:
        return _of_event(address, token, f"receipts/{quote(event_id, safe='')}", event)
    latest = msgspec.json.decode(_ask(address, "heads?limit=1", token), type=_Heads).heads
    if not latest:
        raise NotGiven("no day has been closed yet")
    return Receipt(latest[0].signed)


def _of_event(address: str, token: str, what: str, event: bytes | None) -> Receipt:
    """Return the first receipt of the id, or the first that covers these bytes."""
    found = read_receipt(_ask(address, what, token))
    while event is not None and found.leaf is not None and not is_about(found.leaf, event):
        before = found.leaf.number
        found = read_receipt(_ask(address, f"{what}?after={before}", token))
        if found.leaf is not None and found.leaf.number <= before:
            raise NotGiven(f"{address} gives leaf {found.leaf.number} when asked what comes after {before}")
    return found


class _Signed(msgspec.Struct):
    signed: str


class _Heads(msgspec.Struct):
    heads: list[_Signed]


def _ask(address: str, what: str, token: str | None = None) -> bytes:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        answer = httpx.get(f"{address.rstrip('/')}/v1/evidence/{what}", headers=headers, timeout=60)
    except (httpx.RequestError, httpx.InvalidURL) as fault:
        raise Away(f"{address} does not answer: {type(fault).__name__}") from None
    if answer.status_code in {408, 425, 429} or answer.status_code >= 500:
        raise Away(f"{address} is away: status {answer.status_code}")
    if answer.status_code != 200:
        raise NotGiven(f"{address} answers with status {answer.status_code}: {_detail(answer)}")
    return answer.content


def _detail(answer: httpx.Response) -> Any:
    try:
        return msgspec.json.decode(answer.content)["detail"]
    except (msgspec.DecodeError, KeyError, TypeError):
        return "this does not seem to be the platform"


def _read(file: Path) -> Receipt:
    try:
        return read_receipt(file.read_bytes())
    except NotProven as fault:
        raise NotProven(f"{file}: {fault}") from None


def _keys(raw: bytes) -> PublicKeys:
    try:
        return PublicKeys(msgspec.json.decode(raw))
    except ValueError as fault:  # msgspec raises ValueError, too
        raise NotProven(f"the keys cannot be read: {fault}") from None
