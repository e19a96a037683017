"""The demo: the whole nation on this machine, loaded, checked against the truth, and continued live."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
from pydantic import SecretStr
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import Engine

from contracts.periods import add_months, last_day
from deploy.local.stack import Stack, running_stack
from services.chassis.clock import Clock, system_clock
from services.chassis.database import engine
from services.chassis.memory import collect_seldom
from services.chassis.settings import DatabaseSettings, KafkaSettings
from services.chassis.streaming.clients.bulk import BulkProducer
from services.chassis.streaming.clients.outgoing import Outgoing
from services.chassis.web.words import counted
from services.reporting.files.store import make_files
from services.reporting.releases import announcing, publication
from services.reporting.releases.calendar import first_day
from services.simulate.nation import Simulation
from services.simulate.telling.sending import Delivery

BATCH = 5_000
LOOK_SECONDS = 0.5
PATIENCE_SECONDS = 120
"""How long the platform may show no progress before the load counts as failed."""


MOST_DIFFERENCES = 20
ORKNEY = "S12000023"

Cells = dict[str, int]
"""By `measure|authority|period|category`."""


def run(months: int, seed: int, directory: Path | None, port: int | None, *, leave: bool) -> None:
    """Run the whole demo. Raises Failed if a cell is not what it must be."""
    console = Console(stderr=True)
    began = time.monotonic()
    collect_seldom()
    simulation = Simulation(seed, months, system_clock().date())
    history = History(simulation)
    with running_stack(
        directory, port, console.print, simulated=True, webhooks=not leave, once_topics=history.send
    ) as stack:
        load(stack, history, console)
        console.print(f"loaded after {time.monotonic() - began:.0f} s; checking every cell against the truth")
        cells = Reporting(stack.apis["reporting"], stack.tokens["national"]).cells()
        check(cells, simulation.truth()["cells"], console)
        out = Console()
        out.print(picture(cells, months))
        out.print(f"\nThe public pages:     {stack.apis['reporting']}/")
        out.print(f"An authority's desk:  {stack.desk}/    (sign in with one click as any role)")
        if not leave:
            out.print("\nMaking two releases, so that the public pages have something to show and to compare.")
            releases = release(stack, simulation.first)
            out.print(
                "Published; their files to download follow in a few seconds. Live events now trickle in. Stop with Ctrl-C."
            )
            out.print(
                "\nTo send a spreadsheet of your own (docs/connect.md) as an authority, here Orkney, by its code:"
            )
            out.print(way_in(stack, ORKNEY), soft_wrap=True)
            go_on(stack, simulation, releases, system_clock)


def way_in(stack: Stack, authority: str) -> str:
    """Write what `payback connect send` needs for the demo, each authority's token in a file of its own, and return the way in."""
    folder = stack.directory / "tokens"
    folder.mkdir(mode=0o700, exist_ok=True)
    for role, token in stack.tokens.items():
        (folder / role).write_text(token)
    apis = stack.apis
    return f"  --orders {apis['orders']} --unpaid-work {apis['unpaid_work']} --token-file {folder / authority}"


def check(cells: Cells, truth: Cells, console: Console) -> None:
    """Print which cells differ. Raises Failed if any does."""
    wrong = differences(cells, truth)
    for line in wrong[:MOST_DIFFERENCES]:
        console.print(line)
    if wrong:
        raise Failed(f"{counted(len(wrong), 'cell differs', 'cells differ')} from the truth")
    console.print(f"all {len(truth):,} cells equal the truth")


def release(stack: Stack, first: date) -> list[str]:
    """Publish two releases, and return their names. `first` is the first day of which anything was reported."""
    with _database(stack) as database:
        return publish_two(database, first, system_clock)


def complete(stack: Stack, releases: Iterable[str]) -> None:
    """Make the files of the releases, and announce the next one."""
    with _database(stack) as database:
        for name in releases:
            make_files(database, name, system_clock().date())
        after = add_months(publication.default_month(system_clock), 1)
        announcing.announce(database, after, first_day(system_clock()), system_clock)


@contextmanager
def _database(stack: Stack) -> Iterator[Engine]:
    database = engine(DatabaseSettings(url=SecretStr(stack.postgres), schema_name="reporting"))
    try:
        yield database
    finally:
        database.dispose()


def publish_two(database: Engine, first: date, clock: Clock) -> list[str]:
    """Publish one release after the other; the newer shows late reports for the months of the older. Returns their names."""
    newest, day = publication.default_month(clock), publication.latest_day(database, clock)
    names = []
    for month, known_on in vintages(newest, day, first):
        names.append(publication.make(database, month, known_on, clock))
        publication.publish(database, names[-1], clock)
    return names


def vintages(newest: date, day: date, first: date) -> tuple[tuple[date, date], tuple[date, date]]:
    """Return two months to release, each with the day at the end of which its figures were known.

    The older one is as it was known a month after it, unless nothing had been reported of it by then.
    """
    older = add_months(newest, -1)
    return (older, last_day(newest) if first <= last_day(older) else day), (newest, day)


class Failed(Exception):
    """The results of the demo are wrong. The message says what differs."""

    exit_status = 1


@dataclass(slots=True)
class Sent:
    """The events that have been sent so far."""

    events: int = 0
    last: Counter[str] = field(default_factory=Counter)
    """The last offset by topic and partition, as reporting names them."""


class Reporting:
    """The reporting API, as a national analyst uses it."""

    def __init__(self, url: str, token: str) -> None:
        self._client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30)

    def get(self, path: str, **parameters: str | int) -> Any:
        """Return the answer of a path under /v1. Raises httpx.HTTPError."""
        answer = self._client.get(f"/v1/{path}", params=parameters)
        answer.raise_for_status()
        return answer.json()

    def cells(self) -> Cells:
        """Return all cells."""
        found: Cells = {}
        for page in self._pages():
            for cell in page["cells"]:
                found["|".join(cell[name] for name in ("measure", "authority", "period", "category"))] = cell["value"]
        return found

    def _pages(self) -> Iterator[dict[str, Any]]:
        page = self.get("cells")
        yield page
        while page["next"]:
            page = self.get("cells", cursor=page["next"])
            yield page


def load(stack: Stack, history: "History", console: Console) -> None:
    """Return when reporting shows all events of the history. Raises Failed."""
    reporting = Reporting(stack.apis["reporting"], stack.tokens["national"])
    columns = (TextColumn("{task.description:<42}"), BarColumn(), TimeElapsedColumn())
    sent = history.sent
    with Progress(*columns, console=console, refresh_per_second=2) as progress:
        told = progress.add_task("sending", total=None)
        shown = progress.add_task("shown by reporting", total=None)
        seen, since = 0, time.monotonic()
        while True:
            stack.supervisor.check()
            done = history.is_sent()
            number = _shown(reporting, sent)
            progress.update(
                told, description=f"{sent.events:>9,} events sent", total=sent.events, completed=sent.events
            )
            progress.update(shown, description=f"{number:>9,} shown by reporting", total=sent.events, completed=number)
            if done and number == sent.events:
                return
            if number > seen:
                seen, since = number, time.monotonic()
            if done and time.monotonic() - since > PATIENCE_SECONDS:
                raise Failed(
                    f"reporting shows {number} of {sent.events} events and no more; with --dir the logs are kept"
                )
            time.sleep(LOOK_SECONDS)


def differences(cells: Cells, truth: Cells) -> list[str]:
    """Return cells that differ from the truth of the simulation, in words."""
    spoken = {_dimension(key) for key in truth}
    found = {key: value for key, value in cells.items() if _dimension(key) in spoken}
    return [
        f"{key} is {found.get(key, 0)}, must be {truth.get(key, 0)}"
        for key in sorted(found.keys() | truth.keys())
        if found.get(key, 0) != truth.get(key, 0)
    ]


def picture(cells: Cells, months: int) -> Table:
    """Return the national picture: each first indicator for Scotland over everything that was loaded."""
    table = Table(title=f"Scotland, {counted(months, 'month')}, simulated", title_justify="left")
    for heading, justify in (("indicator", "left"), ("value", "right"), ("of", "right")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for title, value, of in _figures(cells):
        table.add_row(title, value, of)
    return table


def go_on(stack: Stack, simulation: Simulation, releases: Iterable[str], clock: Clock) -> None:
    """Send live events until interrupted, and complete the releases meanwhile."""
    sent = Sent()
    _Background(lambda: _send(stack.kafka, simulation.live(clock), sent, size=1))
    completing = _Background(lambda: complete(stack, releases))

    def until() -> bool:
        completing.done()  # for what it raises
        return False

    stack.keep_up(until)


def _figures(found: Cells) -> Iterator[tuple[str, str, str]]:
    cells = Counter[tuple[str, str]]()
    for key, value in found.items():
        measure, _, _, category = key.split("|")
        cells[measure, category] += value
    clocks = {
        m: sum(v for (n, c), v in cells.items() if n == m and c.startswith("band="))
        for m in ("first_contact", "placement")
    }
    good = cells["orders_ended", "end_reason=completed"] + cells["orders_ended", "end_reason=early_discharge"]
    yield "Orders imposed", f"{cells['orders_imposed', '']:,}", ""
    yield "First contact in 1 working day", *_rate(cells["first_contact", "band=within_1"], clocks["first_contact"])
    yield "First placement in 7 working days", *_rate(cells["placement", "band=within_7"], clocks["placement"])
    yield "Hours of unpaid work credited", f"{cells['minutes_credited', ''] // 60:,}", ""
    yield "Orders completed or discharged early", *_rate(good, cells["orders_ended", ""])


def _rate(number: int, of: int) -> tuple[str, str]:
    return (f"{100 * number / of:.1f} %" if of else "-", f"{of:,}")


def _shown(reporting: Reporting, sent: Sent) -> int:
    """Return how many of the sent events reporting shows."""
    positions = reporting.get("positions")["positions"]
    return sum(min(positions.get(source, -1), last) + 1 for source, last in list(sent.last.items()))


def _send(bootstrap: str, deliveries: Iterable[Delivery], sent: Sent, size: int = BATCH) -> None:
    with BulkProducer(KafkaSettings(bootstrap=bootstrap)) as producer:
        remaining = iter(deliveries)
        while group := list(islice(remaining, size)):
            receipts = producer.send_all(Outgoing(d.topic, d.key, d.value, d.arrived) for d in group)
            for receipt in receipts:
                sent.last[f"{receipt.topic}/{receipt.partition}"] = receipt.offset
            sent.events += len(receipts)


def _dimension(key: str) -> tuple[str, str]:
    measure, _, _, category = key.split("|")
    return measure, category.partition("=")[0]


class History:
    """The events from before today. They are sent while the services start, which then have much to read at once."""

    def __init__(self, simulation: Simulation) -> None:
        self.sent = Sent()
        self._simulation = simulation
        self._sending: _Background | None = None

    def send(self, kafka: str) -> None:
        """Begin to send them to the broker at this address, beside everything else."""
        self._sending = _Background(lambda: _send(kafka, self._simulation.one_by_one(), self.sent))

    def is_sent(self) -> bool:
        """Return whether all are sent. Raises what prevented it."""
        return self._sending is not None and self._sending.done()


class _Background(Thread):
    """Runs beside the main thread, which supervises the stack; `done` raises what it raised."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self._fault: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._work()
        except BaseException as fault:  # noqa: BLE001 - raised again in the main thread
            self._fault = fault

    def done(self) -> bool:
        if self._fault is not None:
            raise self._fault
        return not self.is_alive()
