"""The peculiarities of one simulated authority: how it works, and what its systems are like."""

from dataclasses import dataclass
from random import Random
from typing import Literal
from zlib import crc32

from contracts.authorities import AUTHORITIES
from services.simulate.chances import Chances, happens, shifted

Delivery = Literal["stream", "nightly", "weekly"]
"""Immediately, in a batch every night, or by a spreadsheet once a week."""

STANDARDS = ("first_contact", "case_meeting", "plan", "induction", "placement", "breach", "review", "attendance")
_SPREAD = 0.25
_DELIVERY: Chances[Delivery] = Chances({"stream": 14, "nightly": 14, "weekly": 4})
_SOFTWARE = Chances({"northbank-case/4.2": 12, "northbank-case/4.3": 4, "tidewater-jsw/11.0.1": 10, "": 6})


@dataclass(frozen=True, slots=True)
class Home:
    """One authority. `leaning` moves the share of what is done in time up or down, on the logit scale."""

    code: str
    leaning: dict[str, float]
    delivery: Delivery
    systems: tuple[str, str]
    """The names of the systems that send orders and unpaid work; empty if the source has none."""
    software: str
    numbered: bool
    """Whether its events have the `sequence` extension."""
    local_time: bool
    """Whether it writes times with the offset of the season."""
    retired_share: float
    """The share of events that it still sends under its former code."""
    teams: int
    """How many teams share its orders; 0 if events have no `caseload`."""

    def caseload(self, subject: str) -> str | None:
        """Return the team that works with an order, which is always the same."""
        return f"team-{1 + crc32(subject.encode()) % self.teams}" if self.teams else None

    def in_time(self, standard: str, share: float) -> float:
        return shifted(share, self.leaning[standard])


def home_of(code: str, seed: int) -> Home:
    rng = Random(f"{seed}/home/{code}")  # noqa: S311 - pretend authorities need no secrets
    return Home(
        code=code,
        leaning={standard: rng.gauss(0, _SPREAD) for standard in STANDARDS},
        delivery=_DELIVERY.pick(rng),
        systems=("case", "unpaid-work") if happens(rng, 0.4) else ("", ""),
        software=_SOFTWARE.pick(rng),
        numbered=happens(rng, 0.5),
        local_time=happens(rng, 0.3),
        retired_share=0.05 if AUTHORITIES[code].retired_code else 0.0,
        teams=rng.randint(2, 6) if happens(rng, 0.6) else 0,
    )
