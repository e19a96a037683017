"""The publisher, the licence and the citation of the figures. Pure."""

from datetime import date
from typing import NamedTuple


class Licence(NamedTuple):
    """The terms of re-use."""

    name: str
    short: str
    url: str


LICENCE = Licence(
    "Open Government Licence v3.0",
    "OGL-UK-3.0",
    "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
)
PUBLISHER = "Payback, the national platform for community payback orders"
CONTACT = "statistics@payback.example"
TITLE = "Community payback orders in Scotland"


def citation(release: str, published: date, address: str = "") -> str:
    """Return one line for a list of sources, with the whole address if it is known."""
    day = f"{published.day} {published:%B %Y}"
    return f"Payback ({published.year}), {TITLE}: release {release}, {day}. {address}".rstrip()


def bibtex(release: str, published: date, address: str = "") -> str:
    """Return the citation for programs that keep sources."""
    name = "payback" + release.replace("-", "").replace(".", "_")
    fields = {
        "author": "{Payback}",
        "title": f"{TITLE}: release {release}",
        "year": f"{published.year}",
        "month": f"{published:%b}".lower(),
        **({"howpublished": f"\\url{{{address}}}"} if address else {}),
        "note": f"Published {published.isoformat()}. {LICENCE.name}",
    }
    lines = [f"  {key} = {value if key == 'month' else '{' + value + '}'}," for key, value in fields.items()]
    return "\n".join([f"@misc{{{name},", *lines, "}"])
