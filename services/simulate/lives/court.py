"""The orders that courts impose."""

from datetime import date
from random import Random

from contracts.codes import CourtType
from contracts.events import (
    AlcoholTreatment,
    Compensation,
    Conduct,
    DrugTreatment,
    MentalHealthTreatment,
    OrderImposed,
    Programme,
    Requirement,
    Residence,
    RestrictedMovement,
    Supervision,
    UnpaidWork,
)
from services.simulate.chances import Chances, happens
from services.simulate.population import Person
from services.simulate.working_days import months_after

_WORK_ONLY, _SUPERVISION_ONLY, _BOTH = "work", "supervision", "both"
_MIX = Chances({_WORK_ONLY: 33, _SUPERVISION_ONLY: 31, _BOTH: 36})
_MIX_UNDER_18 = Chances({_SUPERVISION_ONLY: 70, _BOTH: 30})

_HOURS = Chances(
    {20: 0.3, 30: 0.5, 40: 3.4, 50: 4.3, 60: 6.8, 70: 2.7, 75: 4.2, 80: 6.8, 90: 3.4, 100: 5.7}
    | {110: 1.5, 120: 8, 130: 1.2, 135: 2.8, 140: 2.4, 150: 9, 160: 4, 180: 10, 200: 9, 225: 5, 240: 4, 250: 2, 300: 2.8}
)  # fmt: skip
_LENGTHS = Chances({3: 0.5, 6: 6.5, 9: 5, 12: 45, 15: 2, 18: 22, 24: 15, 30: 1, 36: 3})
_ADDED = (
    (Conduct, 0.112),
    (Programme, 0.080),
    (Compensation, 0.054),
    (AlcoholTreatment, 0.0162),
    (DrugTreatment, 0.0124),
    (RestrictedMovement, 0.012),
    (MentalHealthTreatment, 0.0038),
    (Residence, 0.0014),
)
"""Shares of orders with supervision, since only those may have these requirements."""
_COURTS = Chances(
    {
        CourtType.SHERIFF_SUMMARY: 88.6,
        CourtType.SHERIFF_SOLEMN: 5.4,
        CourtType.JUSTICE_OF_THE_PEACE: 3.7,
        CourtType.STIPENDIARY: 1.4,
        CourtType.HIGH: 0.4,
        CourtType.NOT_KNOWN: 0.2,
    }
)
_OUTSIDE = 0.005
_FINE_DEFAULT = 0.01
_PROGRESS_REVIEW = 0.16
_COURT_DATE = 0.15


def impose(rng: Random, person: Person, day: date) -> OrderImposed:
    """Return an order on this person, imposed on this day."""
    outside = happens(rng, _OUTSIDE)
    return OrderImposed(
        imposed_on=day,
        court_type=CourtType.OUTWITH_SCOTLAND if outside else _COURTS.pick(rng),
        person_ref=person.ref,
        sex=person.sex,
        age_at_imposition=person.age,
        ethnicity=person.ethnicity,
        employment=person.employment,
        fine_default=happens(rng, _FINE_DEFAULT),
        outside_jurisdiction=outside,
        progress_review_ordered=happens(rng, _PROGRESS_REVIEW),
        requirements=tuple(_requirements(rng, person, day)),
    )


def _requirements(rng: Random, person: Person, day: date) -> list[Requirement]:
    mix = (_MIX_UNDER_18 if person.age < 18 else _MIX).pick(rng)
    found: list[Requirement] = []
    if mix != _SUPERVISION_ONLY:
        found.append(_unpaid_work(rng, day))
    if mix != _WORK_ONLY:
        months = _LENGTHS.pick(rng)
        found.append(Supervision(months=months))
        found += [kind(months=min(months, 12)) for kind, share in _ADDED if happens(rng, share)]
    return found


def _unpaid_work(rng: Random, day: date) -> UnpaidWork:
    hours = _HOURS.pick(rng)
    if not happens(rng, _COURT_DATE):
        return UnpaidWork(hours=hours)
    legal = 3 if hours <= 100 else 6
    return UnpaidWork(hours=hours, complete_by=months_after(day, legal + rng.choice((0, 0, 3, 6))))
