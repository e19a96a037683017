"""Handles dropped files on the page, in the same way as `suggest`, `check` and `send`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from typing import NamedTuple

from contracts.clock import system_clock
from contracts.codes import RequirementKind
from contracts.periods import LONDON
from services.connect.extracts.readers import sheets
from services.connect.faults import CannotGoOn
from services.connect.form.answering import answered
from services.connect.form.model import Answered, Form
from services.connect.form.placing import Unplaced, left_out, others, placed, unplaced
from services.connect.form.showing import form_of, tables_of
from services.connect.form.tables import Tree
from services.connect.form.tree import remarks_in, tree_of, written
from services.connect.form.uses import GROUPS, Use, labels_of, uses_of
from services.connect.home import Home, home_of
from services.connect.mapping.loading import load_mapping, read_mapping
from services.connect.mapping.model import Mapping as Meaning
from services.connect.mapping.model import Platform, Value, value_of
from services.connect.mapping.seen import Sheet
from services.connect.page.dropped import Dropped
from services.connect.result import ImportResult
from services.connect.template import built_in, is_workbook, mapping_in
from services.connect.work import Job, Report, looked_at, proposed, run, tried

PATIENCE_SECONDS = 20.0


class Asked(NamedTuple):
    """A person's statements about files that belong together."""

    digest: str
    taken: str = ""
    """A day, as in 2026-03-02; empty if the file itself states it."""
    let_vanish: bool = False


class Column(NamedTuple):
    """The source of a member of a fact, in words."""

    event: str
    member: str
    source: str


@dataclass(frozen=True, slots=True)
class Importer:
    """One authority's mapping, and the dropped files."""

    mapping: Path
    """It need not exist yet."""
    platform: Platform | None
    dropped: Dropped

    def needs_mapping(self, digest: str) -> bool:
        """Return whether there is no mapping yet for the columns of the files."""
        return not self.mapping.exists() and _own(self.dropped.files(digest)) is None

    def proposal(self, digest: str) -> str:
        """Return a mapping for the files, for a person to read and correct. Raises CannotGoOn."""
        return proposed(self.dropped.files(digest)).replace("; or run suggest with --authority", "")

    def keep_mapping(self, text: str) -> None:
        """Keep a mapping. Raises CannotGoOn with the fault and its place; then nothing was kept."""
        read_mapping(text, self.mapping.name)
        fresh = self.mapping.with_name(f".{self.mapping.name}.new")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self.mapping)

    def text(self) -> str:
        """Return the mapping as it is kept; empty if there is none."""
        return self.mapping.read_text(encoding="utf-8-sig") if self.mapping.exists() else ""

    def is_own(self, digest: str) -> bool:
        """Return whether the files bring their own mapping."""
        return _own(self.dropped.files(digest)) is not None

    def form(self, text: str, digest: str) -> Form:
        """Return a mapping as a form, beside the files if there are any. Raises CannotGoOn."""
        tree = tree_of(text, self.mapping.name)
        return form_of(tree, remarks_in(text), self._sheets(tree, digest), _uses())

    def answer(self, text: str, digest: str, answers: Mapping[str, str]) -> tuple[str, Answered]:
        """Return the mapping with the answers to its form, and what became of them. Raises CannotGoOn."""
        tree, remarks = tree_of(text, self.mapping.name), remarks_in(text)
        sheets = self._sheets(tree, digest)
        found = answered(tree, form_of(tree, remarks, sheets, _uses()), answers, sheets, _uses())
        return (written(found.tree, remarks.still(tree, found.tree)) if found.changed else text), found

    def unplaced(self, text: str, digest: str) -> list[Unplaced]:
        """Return the sheets of the files that no table of the mapping fits, with the question what each is."""
        tree = tree_of(text, self.mapping.name)
        return unplaced(tree, self._sheets(tree, digest))

    def left_out(self, text: str, digest: str) -> list[Unplaced]:
        """Return the sheets of the files that a proposed mapping leaves out, with the question what each is after all."""
        tree = tree_of(text, self.mapping.name)
        return left_out(tree, self._sheets(tree, digest)) if digest else []

    def others(self, text: str, digest: str) -> list[Unplaced]:
        """Return the sheets of the files that may be other tables than those for which they were taken."""
        tree = tree_of(text, self.mapping.name)
        return others(tree, self._sheets(tree, digest)) if digest else []

    def place(self, text: str, digest: str, answers: Mapping[str, str]) -> tuple[str, list[str]]:
        """Return the mapping with sheets as its tables, and the titles of those for which nothing could be proposed."""
        tree = tree_of(text, self.mapping.name)
        found, remarks, by_hand = placed(tree, remarks_in(text), self._sheets(tree, digest), answers)
        return (text if found == tree else written(found, remarks)), by_hand

    def _sheets(self, tree: Tree, digest: str) -> list[Sheet]:
        return looked_at(self.dropped.files(digest), tables_of(tree)) if digest else []

    def check(self, asked: Asked) -> ImportResult:
        """Return what would be sent and refused. Raises CannotGoOn."""
        return tried(self._job(asked), self.dropped.files(asked.digest))

    def send(self, asked: Asked) -> Report:
        """Import and send the files. Raises CannotGoOn."""
        report = run(self._job(asked), self.dropped.files(asked.digest))
        if not report.again:
            self.dropped.forget(asked.digest)
        return report

    def columns(self, digest: str) -> list[Column]:
        """Return what the mapping in force makes of the columns. Raises CannotGoOn."""
        return list(_columns(self._mapping(self.dropped.files(digest))[0]))

    def _mapping(self, files: Sequence[Path]) -> tuple[Meaning, Home]:
        own = _own(files)
        if own is not None:
            return own, Home(self.mapping.parent / "payback.connect")
        return load_mapping(self.mapping), home_of(self.mapping)

    def _job(self, asked: Asked) -> Job:
        mapping, home = self._mapping(self.dropped.files(asked.digest))
        platform = self.platform or mapping.platform
        return Job(mapping, home, platform, PATIENCE_SECONDS, _end_of(asked.taken), asked.let_vanish)


def _own(files: Sequence[Path]) -> Meaning | None:
    """Return the mapping that a workbook made by `template` contains, if that is all that was dropped."""
    return mapping_in(sheets(files[0])) if len(files) == 1 and is_workbook(files[0]) else None


@cache
def _uses() -> dict[str, Use]:
    return uses_of(labels_of(built_in()))


def _end_of(day: str) -> datetime | None:
    if not day:
        return None
    try:
        end = datetime.combine(date.fromisoformat(day), time(23, 59, 59), LONDON)
    except ValueError:
        raise CannotGoOn(f"{day} is not a day; write it as in 2026-03-02.") from None
    return min(end, max(system_clock(), end.replace(hour=0, minute=0, second=0)))


def _columns(mapping: Meaning) -> Iterator[Column]:
    for table in mapping.tables:
        for stated in table.facts():
            for member, value in stated.fields.items():
                yield Column(GROUPS[stated.fact.NAME], member.replace("_", " "), _source(value))
            for one in stated.requirements:
                kind = RequirementKind.of(one.kind).label
                yield Column(GROUPS[stated.fact.NAME], kind, _source(value_of(one.hours or one.months or "")))


def _source(value: Value) -> str:
    if value.always is not None:
        return f"always {value.always}"
    headings = value.joined or value.column or value.born or ""
    text = (
        headings if isinstance(headings, str) else " or ".join(headings) if not value.joined else " and ".join(headings)
    )
    return f"age from {text}, which is not sent" if value.born else text
