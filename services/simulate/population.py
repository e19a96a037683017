"""The people who get orders, and how many orders each authority has.

Shares are those of published Justice Social Work statistics; `published.csv` has the figures with their years.
"""

from collections import deque
from random import Random

from msgspec import Struct

from contracts.authorities import AUTHORITIES
from contracts.codes import Employment, Ethnicity, Sex
from services.simulate.chances import Chances, happens

ORDERS_A_YEAR = 15_700
"""Without the second records of orders that later move to another authority."""
SHARE_AGED_16_TO_70 = 0.70
_REPEATERS = 0.10

_PUBLISHED_RATES = {
    "S12000005": 69, "S12000008": 58, "S12000010": 19, "S12000011": 18, "S12000020": 53.6, "S12000021": 64,
    "S12000027": 12.2, "S12000033": 56, "S12000034": 38, "S12000036": 19, "S12000039": 60.5, "S12000041": 43.6,
    "S12000042": 42, "S12000049": 48,
}  # fmt: skip
"""Orders per 10,000 people aged 16 to 70, as last published for the authority; the others share the rest of the total."""

_SEX = Chances({Sex.MALE: 85.1, Sex.FEMALE: 14.8, Sex.NOT_KNOWN: 0.1})
_AGES = Chances({(16, 17): 2.1, (18, 20): 9.3, (21, 25): 16.8, (26, 30): 17.9, (31, 40): 30.6, (41, 70): 23.4})
_ETHNICITY = Chances(
    {
        Ethnicity.WHITE: 91.3,
        Ethnicity.ASIAN: 1.8,
        Ethnicity.AFRICAN_CARIBBEAN_BLACK: 0.9,
        Ethnicity.MIXED: 0.5,
        Ethnicity.OTHER: 0.5,
        Ethnicity.NOT_KNOWN: 5.0,
    }
)
EMPLOYMENT = Chances(
    {
        Employment.UNEMPLOYED: 59.9,
        Employment.EMPLOYED: 25.6,
        Employment.ECONOMICALLY_INACTIVE: 11.7,
        Employment.FULL_TIME_EDUCATION: 1.2,
        Employment.OTHER: 0.8,
        Employment.NOT_KNOWN: 0.5,
        Employment.TRAINING_SCHEME: 0.3,
    }
)


class Person(Struct, frozen=True):
    ref: str
    sex: Sex
    age: int
    ethnicity: Ethnicity
    employment: Employment


class People:
    """The people of one authority before the court: mostly new ones, sometimes one seen before."""

    def __init__(self) -> None:
        self._seen: deque[Person] = deque(maxlen=300)

    def next(self, rng: Random) -> Person:
        if self._seen and happens(rng, _REPEATERS):
            return self._seen[rng.randrange(len(self._seen))]
        person = a_person(rng)
        self._seen.append(person)
        return person


def a_person(rng: Random) -> Person:
    youngest, oldest = _AGES.pick(rng)
    age = rng.randint(youngest, oldest)
    return Person(pseudonym(rng), _SEX.pick(rng), age, _ETHNICITY.pick(rng), EMPLOYMENT.pick(rng))


def pseudonym(rng: Random) -> str:
    return f"p{rng.getrandbits(88):022x}"


def aged_16_to_70(code: str) -> float:
    """Return roughly how many people aged 16 to 70 live in the authority."""
    return AUTHORITIES[code].population_thousands * 1000 * SHARE_AGED_16_TO_70


def orders_a_year(code: str) -> float:
    """Return how many orders the authority's courts impose in a year, on average."""
    rate = _PUBLISHED_RATES.get(code, _RATE_OF_THE_OTHERS)
    return rate * aged_16_to_70(code) / 10_000


def _rate_of_the_others() -> float:
    published = sum(rate * aged_16_to_70(code) / 10_000 for code, rate in _PUBLISHED_RATES.items())
    people = sum(aged_16_to_70(code) for code in AUTHORITIES if code not in _PUBLISHED_RATES)
    return (ORDERS_A_YEAR - published) / people * 10_000


_RATE_OF_THE_OTHERS = _rate_of_the_others()
