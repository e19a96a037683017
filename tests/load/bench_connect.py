"""How long the connector takes: a million rows of CSV compared with what was said, and 100,000 rows of XLSX.

In a process of its own for each, so that what memory it takes at most can be told, and what it costs in CPU: on a busy machine that says
more than the time.
"""

import resource
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from openpyxl import Workbook

from services.connect.comparing.compare import compare
from services.connect.extracts.sources import extracts_in
from services.connect.home import Home, secret_of
from services.connect.mapping.loading import read_mapping
from services.connect.mapping.model import Mapping
from services.connect.work import Job

CSV_ROWS, XLSX_ROWS = 1_000_000, 100_000
MOST_SECONDS, MOST_MEGABYTES = 60.0, 500.0
CHANGED = 1000
"""Every so many rows one is changed from one day to the next, and one is gone."""
HEADINGS = ["Case ref", "Session", "Day", "Attendance", "Hours", "Project", "Officer team"]
MAPPING = """
authority: S12000049
tables:
  - name: Sessions
    order: Case ref
    states:
      session.recorded:
        ref: Session
        session_on: Day
        attendance: {column: Attendance, codes: {Came: attended, Stayed away: absent_unacceptable}}
        activity: {always: unpaid_work}
        work_type: {column: Project, otherwise: other}
        minutes_credited: {column: Hours, times: 60}
"""
_FIRST = date(2016, 4, 1)


def rows(number: int, day: int) -> Iterator[list[object]]:
    """Yield ten years of sessions, a little other on the second day."""
    for n in range(number):
        if day > 1 and n % CHANGED == 1:
            continue
        on = _FIRST + timedelta(days=n * 3600 // number)
        hours = 3.5 + (day > 1 and n % CHANGED == 0)
        came = n % 4 != 0 or (day > 1 and n % CHANGED == 0)
        yield [
            f"CPO/{n // 40:06}",
            f"s{n % 40}",
            on,
            "Came" if came else "Stayed away",
            hours if came else 0,
            "Gardening and grounds",
            "North",
        ]


def csv_file(path: Path, day: int) -> Path:
    with path.open("w") as stream:
        stream.write(";".join(HEADINGS) + "\n")
        for row in rows(CSV_ROWS, day):
            stream.write(";".join(f"{cell:%d/%m/%Y}" if isinstance(cell, date) else str(cell) for cell in row) + "\n")
    return path


def xlsx_file(path: Path, day: int) -> Path:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Sessions")
    sheet.append(HEADINGS)
    for row in rows(XLSX_ROWS, day):
        sheet.append(row)
    book.save(path)
    return path


class Imported(NamedTuple):
    """The cost of one import."""

    seconds: float
    cpu_seconds: float
    megabytes: float
    """At most."""
    events: int


def imported(home: Path, file: Path) -> Imported:
    """Import one file, compared with the last import."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_import, (home, file))


def _import(home: Path, file: Path) -> Imported:
    job = Job(_mapping(), Home(home), None)
    began, cpu_began = time.monotonic(), time.process_time()
    state = job.home.open_state()
    secret, _ = secret_of(job.home, state, make=True)
    outcome = compare(job.setting(state, secret), extracts_in(job.mapping, [file], state, None), keep=True)
    state.close()
    assert outcome.status == 0, outcome.refusals[:3]
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Imported(time.monotonic() - began, time.process_time() - cpu_began, most, outcome.events)


def _mapping() -> Mapping:
    return read_mapping(MAPPING, "bench")


def main() -> int:
    status = 0
    with TemporaryDirectory() as folder:
        for kind, write in (("csv", csv_file), ("xlsx", xlsx_file)):
            count = CSV_ROWS if kind == "csv" else XLSX_ROWS
            for day in (1, 2):
                file = write(Path(folder) / f"sessions 2026-03-0{day}.{kind}", day)
                took = imported(Path(folder) / kind, file)
                good = took.seconds <= MOST_SECONDS and took.megabytes <= MOST_MEGABYTES
                judged = day == 2 or kind == "xlsx"
                status |= judged and not good
                verdict = ("as wanted" if good else "MISSED") if judged else "the first time"
                told = f"{took.seconds:.1f} s, {took.cpu_seconds:.1f} s of CPU, {took.megabytes:.0f} MB"
                print(f"{kind}, {count:,} rows, day {day}: {told}, {took.events:,} events ({verdict})", flush=True)
                file.unlink()
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
