"""Imports two extracts, and is killed at one write in so many, each in turn.

Run with killer.c preloaded: `killed_connect.py DIRECTORY ADDRESS FIRST EVERY`.

For each n there is a new office in DIRECTORY/n. Its files have `payback.spool` in their paths, which is what the killer looks for.
"""

import ctypes
import os
import sys
from pathlib import Path

from contracts.client import clients
from services.connect.faults import CannotGoOn
from services.connect.home import home_of
from services.connect.mapping.loading import read_mapping
from services.connect.mapping.model import Platform
from services.connect.work import Job, run
from tests.support.made.extracts import MAPPING

FIRST, SECOND = "orders 2026-03-02.csv", "orders 2026-03-03.csv"


def office(home: Path, number: int, address: str) -> Job:
    """Return the job of one run. Each run is another system, so that its events differ from those of the others."""
    text = MAPPING.format(more="vanished: withdraw").replace("tables:", f"system: run-{number}\ntables:")
    platform = Platform(orders=address, unpaid_work=address, token_file=str(home / "token"))
    return Job(read_mapping(text, "m"), home_of(home / "payback.spool.yaml"), platform, patience=5)


def import_all(home: Path, number: int, address: str) -> None:
    """Do what a person would do each morning."""
    for name in (FIRST, SECOND):
        run(office(home, number, address), [home / name])


def main(home: Path, address: str, first: int, every: int) -> None:
    killer = ctypes.CDLL(None)
    clients._tls()
    number, killed = first - every, True
    while killed:
        number += every
        folder = home / str(number)
        folder.mkdir()
        for name in (FIRST, SECOND):
            (folder / name).write_bytes((home / name).read_bytes())
        (folder / "token").write_text("token")
        child = os.fork()
        if child == 0:
            killer.arm(number)
            try:
                import_all(folder, number, address)
            except CannotGoOn as fault:
                sys.stderr.write(f"run {number}: {fault}\n")
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status)
        if not killed and os.WEXITSTATUS(status):
            sys.exit(f"run {number} failed")
    sys.stdout.write(f"{number}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
