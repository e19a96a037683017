"""Which version of the rules counts: cells counted by other rules, or by another calendar, are counted again."""

from hashlib import sha256
from pathlib import Path
from types import ModuleType

from services.records.model import calendar, control_totals, deadlines, findings, standards, summary
from services.records.model.calendar import Calendar


def rules_version(working_days: Calendar, *modules: ModuleType) -> str:
    """A short digest of the source of all that counts, so that nobody has to remember to change a number."""
    digest = sha256(working_days.version.encode())
    for day in sorted(working_days.closed):
        digest.update(day.isoformat().encode())
    for module in (calendar, deadlines, findings, standards, summary, control_totals, *modules):
        assert module.__file__ is not None
        digest.update(Path(module.__file__).read_bytes())
    return digest.hexdigest()[:12]
