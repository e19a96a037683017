"""Orders that move from one authority to another: planned for the whole nation, so that both report the same order.

An order moves before its unpaid work begins, so no minute is credited twice.
"""

from dataclasses import dataclass
from datetime import date
from random import Random

from msgspec.structs import replace

from contracts.authorities import AUTHORITIES
from contracts.codes import EndReason
from contracts.events import OrderImposed, TransferReceived
from services.simulate.chances import Chances, days_after, happens
from services.simulate.home import Home
from services.simulate.lives.casework import begin, supervise
from services.simulate.lives.course import Course, Outlook
from services.simulate.lives.court import impose
from services.simulate.lives.lifecycle import answer_transfer, ask_for_transfer, close, course_of, go_on
from services.simulate.lives.oddities import leave_duties_undone
from services.simulate.lives.outlook import foresee
from services.simulate.population import ORDERS_A_YEAR, a_person, orders_a_year, pseudonym
from services.simulate.working_days import next_from, nth_after

_SHARE = 0.02
_ANSWERED_IN_TIME = 0.8


@dataclass(frozen=True, slots=True)
class Transfer:
    """One order, with the authority that it leaves and the one to which it goes."""

    seed: str
    number: int
    origin: str
    target: str
    imposed: OrderImposed
    requested_on: date
    answered_on: date

    @property
    def origin_subject(self) -> str:
        return f"CPO/T{self.number:05}"

    @property
    def target_subject(self) -> str:
        return f"CPO/IN-{self.number:05}"


def plan_transfers(seed: int, first: date, last: date) -> list[Transfer]:
    """Return the transfers of orders imposed from `first` to the day before `last`, over the whole country."""
    rng = Random(f"{seed}/transfers")  # noqa: S311
    weights = Chances({code: orders_a_year(code) for code in AUTHORITIES})
    expected = ORDERS_A_YEAR * _SHARE * (last - first).days / 365.25
    return [_transfer(rng, seed, n + 1, weights, first, last) for n in range(round(expected))]


def depart(transfer: Transfer, home: Home) -> Course:
    """Return the order as the authority that it leaves reports it."""
    rng = Random(f"{transfer.seed}/from")  # noqa: S311
    ended_on = days_after(transfer.answered_on, rng.randint(0, 5))
    outlook = Outlook(ended_on, EndReason.TRANSFERRED_OUT)
    course = course_of(rng, home, transfer.origin_subject, transfer.imposed, outlook)
    course.say(course.start, course.imposed)
    begin(course)
    supervise(course)
    ask_for_transfer(course, transfer.requested_on, transfer.target)
    answer_transfer(course, transfer.answered_on, accepted=True)
    return close(course)


def arrive(transfer: Transfer, home: Home) -> Course:
    """Return the order as the authority to which it goes reports it: under its own reference and its own pseudonym."""
    rng = Random(f"{transfer.seed}/to")  # noqa: S311
    received_on = transfer.answered_on
    imposed = replace(transfer.imposed, person_ref=pseudonym(rng))
    outlook = foresee(rng, home, replace(imposed, imposed_on=received_on))
    course = course_of(rng, home, transfer.target_subject, imposed, outlook, start=received_on)
    course.say(received_on, imposed)
    origin, subject = transfer.origin, transfer.origin_subject
    course.say(received_on, TransferReceived(received_on=received_on, from_=origin, from_subject=subject))
    begin(course)
    go_on(course)
    leave_duties_undone(course)
    return close(course)


def _transfer(rng: Random, seed: int, number: int, weights: Chances[str], first: date, last: date) -> Transfer:
    origin = target = weights.pick(rng)
    while target == origin:
        target = weights.pick(rng)
    imposed_on = next_from(days_after(first, rng.randrange((last - first).days)))
    requested_on = next_from(days_after(imposed_on, rng.randint(10, 60)))
    answered_on = nth_after(requested_on, rng.randint(1, 5) if happens(rng, _ANSWERED_IN_TIME) else rng.randint(6, 15))
    imposed = impose(rng, a_person(rng), imposed_on)
    return Transfer(f"{seed}/transfer/{number}", number, origin, target, imposed, requested_on, answered_on)
