"""The connector against the truth: the extracts of a pretend authority, day by day, end in the cells that must come out.

What tables cannot carry is in none of these cells: signs of life, monthly totals, and that an order was withdrawn as a whole, where
every fact of it is taken back instead. An order that was never imposed has no row, so what little counts of it comes by its sessions.
"""

from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from contracts.decoding.codec import Event
from contracts.decoding.validation import judge
from contracts.events import OrderImposed
from services.connect.comparing.compare import compare
from services.connect.extracts.sources import extracts_in
from services.connect.home import Home
from services.connect.mapping.loading import load_mapping
from services.connect.state import State
from services.connect.work import Job
from services.simulate.home import home_of
from services.simulate.nation import Simulation
from services.simulate.telling.files import write
from services.simulate.truth import Truth
from tests.unit.simulate.folding import lives_of

END = date(2026, 3, 1)
DAYS = 45
ARRIVED = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(("authority", "seed"), [("S12000027", 3), ("S12000023", 1), ("S12000019", 2)])
def test_day_by_day_the_cells_come_out(authority: str, seed: int, tmp_path: Path) -> None:
    simulation = Simulation(seed, 8, END, [authority])
    write(simulation, tmp_path, DAYS)
    truth = simulation.truth()["cells"]
    events = connected(tmp_path / "extracts" / authority)
    assert len({event.id for event in events}) == len(events)
    assert len({event.time for event in events}) >= DAYS - 15, "most days have something to tell"
    found = Truth()
    for (_, subject), life in lives_of(events).items():
        if subject != "-":
            found.count(authority, life)
    cells = found.nonzero()
    assert len(cells) > 100
    differing = {
        key: (truth.get(key, 0), cells.get(key, 0))
        for key in truth.keys() | cells.keys()
        if truth.get(key) != cells.get(key)
    }
    assert differing == {}
    home = home_of(authority, seed)
    told = {event.subject: event.caseload for event in events if event.data.KEY == OrderImposed.KEY}
    assert {subject: team for subject, team in told.items() if team != home.caseload(subject)} == {}


def connected(folder: Path) -> list[Event]:
    """Return the events that the connector makes of all extracts in a folder."""
    job = Job(load_mapping(folder / "extracts.yaml"), Home(folder / "no.connect"), None, let_vanish=True)
    days = sorted({path.stem.split()[-1] for path in folder.glob("*.csv")})
    assert len(days) == DAYS
    with closing(State(None)) as state:
        setting = job.setting(state, b"k" * 32)
        for day in days:
            outcome = compare(
                setting, extracts_in(job.mapping, sorted(folder.glob(f"*{day}.csv")), state, None), keep=True
            )
            assert outcome.refusals == []
        return [event for one in state.waiting(0, 10**6) if isinstance(event := judge(one.body, ARRIVED), Event)]
