"""An import from its files to its report: what `check`, `send` and `watch` share."""

from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path

from contracts.client import Source
from contracts.version import VERSION
from services.connect.comparing.compare import Setting, compare
from services.connect.extracts.columns import days_in, found_headings
from services.connect.extracts.database import queried
from services.connect.extracts.fitting import Place, shared
from services.connect.extracts.readers import Sheet as ReadableSheet
from services.connect.extracts.readers import sheets
from services.connect.extracts.sources import extracts_in
from services.connect.faults import CannotGoOn, Empty
from services.connect.form.tables import Table, headings_named, held_by, rows_of_headings, sought
from services.connect.home import Home, beside, parted, secret_of, system_of, two_keys, warning
from services.connect.mapping.model import Mapping, Platform, needs_key
from services.connect.mapping.seen import Sheet, gathered, sheet_of
from services.connect.mapping.suggest import proposal
from services.connect.result import ALL_WELL, CANNOT_GO_ON, REFUSED, ImportResult, number_of
from services.connect.send import Sent, client_of, reconcile, send, settle
from services.connect.state import State

_LOOKED_AT = 500
"""How many rows of a table a proposal is made from."""
_NOWHERE = "No address to send to: give `platform` in the mapping, or --orders, --unpaid-work and --token-file."


@dataclass(frozen=True, slots=True)
class Job:
    """A mapping with the paths, platform and settings of its import."""

    mapping: Mapping
    home: Home
    platform: Platform | None
    patience: float = 600.0
    taken: datetime | None = None
    let_vanish: bool = False

    def setting(self, state: State, secret: bytes) -> Setting:
        system = system_of(self.home, state, secret, self.mapping.system)
        source = Source(self.mapping.authority, system, f"payback-connect/{VERSION}")
        return Setting(self.mapping, source, secret, state, self.let_vanish)


@dataclass(slots=True)
class Report:
    """The report to a person."""

    lines: list[str] = field(default_factory=list)
    status: int = ALL_WELL
    again: bool = False
    """Whether the same may succeed later, without anybody changing anything."""


def tried(job: Job, files: Sequence[Path]) -> ImportResult:
    """Return what would be sent and refused. Changes nothing. Raises CannotGoOn."""
    with closing(job.home.trial_state()) as state:
        secret, _ = secret_of(job.home, state, make=False)
        result = _compared(job, files, job.setting(state, secret), keep=False)
        result.remarks += _other_keys(job, first=not job.home.state.exists())
        return result


def check(job: Job, files: Sequence[Path]) -> Report:
    """Report what would be sent and refused, in plain words."""
    result = tried(job, files)
    return Report([*result.lines(done=False), *result.shown(), "Nothing was sent."], result.status)


def run(job: Job, files: Sequence[Path]) -> Report:
    """Import and send. Raises CannotGoOn."""
    platform = job.platform
    if platform is None:
        raise CannotGoOn(_NOWHERE)
    with closing(job.home.open_state()) as state, job.home.open_spool() as spool:
        client = client_of(spool, platform, job.home.folder.parent, job.patience)
        before = Sent()
        settle(state, spool, before)
        reconcile(state, spool)
        secret, made = secret_of(job.home, state, make=True)
        told = [warning(job.home), *_other_keys(job, first=True)] if made else []
        told += parted(job.home, state, secret, job.mapping.system)
        result = _compared(job, files, job.setting(state, secret), keep=True)
        sent = send(state, spool, client)
        return _report(told, result, sent)


def _other_keys(job: Job, first: bool) -> list[str]:
    """Return a warning if a mapping begins with a key of its own beside one that has another."""
    others = beside(job.home) if first and needs_key(job.mapping) else []
    return [two_keys(job.home, others)] if others else []


def proposed(files: Sequence[Path], authority: str | None = None) -> str:
    """Return a mapping for these files as YAML, with reasons and doubts. Raises CannotGoOn."""
    return proposal(looked_at(files, ()), authority)


def looked_at(files: Sequence[Path], tables: Sequence[Table]) -> list[Sheet]:
    """Return the tables of files with their first rows, by the headings that these tables of a mapping name. Raises CannotGoOn."""
    return [one for file in files for one in gathered(_seen(file, tables))]


def _seen(file: Path, tables: Sequence[Table]) -> Iterator[Sheet]:
    for sheet in sheets(file):
        with suppress(Empty):
            yield _seen_sheet(sheet, tables)


def _seen_sheet(sheet: ReadableSheet, tables: Sequence[Table]) -> Sheet:
    """Return the first rows of a sheet below the headings that the table names which it holds. Raises Empty."""

    def share(number: int) -> float:
        headings = sought(tables[number]).headings
        found, _ = found_headings(sheet.name, sheet.rows(), headings, rows_of_headings(tables[number]))
        if "across" in tables[number] and not days_in(found.texts):
            return 0.0
        return shared(found, headings)

    is_file, first = bool(sheet.separator), sheet.number == 1
    held = held_by(tables, Place(sheet.file.name, (sheet.name,), is_file, first), share)
    table = tables[held[0]] if held else {}
    headings, rows = found_headings(sheet.name, sheet.rows(), headings_named(table), rows_of_headings(table))
    found = sheet_of(sheet.name, is_file, headings, islice(rows, _LOOKED_AT))
    found.file, found.first = sheet.file.name, first
    if found.across is not None and isinstance(across := table.get("across"), dict):
        found.columns[-2].heading, found.columns[-1].heading = across["day"], across["cell"]
    return found


def _compared(job: Job, files: Sequence[Path], setting: Setting, keep: bool) -> ImportResult:
    """Compare the files, or the queries if no file is named."""
    if files:
        return compare(setting, extracts_in(job.mapping, files, setting.state, job.taken), keep)
    with queried(job.mapping, job.home.folder.parent, job.taken) as extracts:
        if not extracts:
            raise CannotGoOn("name the files; the mapping has no query")
        return compare(setting, extracts, keep)


def _report(lines: list[str], result: ImportResult, sent: Sent) -> Report:
    lines += [str(refusal) for refusal in sent.refused]
    lines += result.lines(done=True)
    alive = " and a sign of life" if sent.alive else ""
    lines.append(f"{number_of(sent.accepted, 'event')}{alive} accepted, {len(sent.refused):,} refused by the platform.")
    if sent.waiting:
        lines.append(
            f"The platform is away; {sent.waiting:,} or more events wait. Nothing is lost: run it again to go on."
        )
        return Report(lines, CANNOT_GO_ON, again=True)
    return Report(lines, REFUSED if sent.refused else result.status)
