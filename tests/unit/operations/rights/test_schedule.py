"""How long data is held is a file, and a file with a fault is refused."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.chassis.failures import Refused
from services.operations.rights.schedule import KINDS, SHIPPED, schedule

FAULTS: dict[str, Callable[[str], str]] = {
    "no heading": lambda text: text.partition("\n")[2],
    "a kind is missing": lambda text: text.rpartition("sessions")[0],
    "another kind": lambda text: text.replace("sessions,1", "holidays,1"),
    "a kind twice": lambda text: text + "sessions,2,end,none\n",
    "no number": lambda text: text.replace("730", "two years"),
    "no time at all": lambda text: text.replace("730", "0"),
    "less than no time": lambda text: text.replace("730", "-1"),
    "nothing": lambda _: "",
}


def test_each_kind_has_a_period_and_a_basis() -> None:
    found = schedule(None)
    assert set(found) == set(KINDS)
    assert all(one.basis and one.since for one in found.values())
    now = datetime(2026, 3, 2, tzinfo=UTC)
    assert found["sessions"].limit(now) == datetime(2026, 3, 1, tzinfo=UTC)
    assert found["events"].limit(now) is None


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_with_a_fault_is_refused(fault: str, tmp_path: Path) -> None:
    path = tmp_path / "retention.csv"
    path.write_text(FAULTS[fault](SHIPPED.read_text()))
    with pytest.raises(Refused, match=r"retention\.csv"):
        schedule(path)
