"""The 32 local authorities of Scotland, their codes, the retired codes that still arrive, and the health boards that group them.

Codes as statistics.gov.scot publishes them. Populations are approximate mid-2022 figures, in thousands, not verified.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Authority:
    code: str
    name: str
    population_thousands: int
    """All ages, mid-2022, approximate."""
    also_known_as: tuple[str, ...] = ()
    retired_code: str | None = None


_ALL = (
    Authority("S12000005", "Clackmannanshire", 52),
    Authority("S12000006", "Dumfries and Galloway", 146, ("Dumfries & Galloway",)),
    Authority("S12000008", "East Ayrshire", 120),
    Authority("S12000010", "East Lothian", 112),
    Authority("S12000011", "East Renfrewshire", 97),
    Authority(
        "S12000013",
        "Na h-Eileanan Siar",
        26,
        (
            "Eilean Siar",
            "Western Isles",
            "Comhairle nan Eilean Siar",
        ),
    ),
    Authority("S12000014", "Falkirk", 158),
    Authority("S12000017", "Highland", 236),
    Authority("S12000018", "Inverclyde", 78),
    Authority("S12000019", "Midlothian", 97),
    Authority("S12000020", "Moray", 94),
    Authority("S12000021", "North Ayrshire", 133),
    Authority("S12000023", "Orkney Islands", 22, ("Orkney",)),
    Authority("S12000026", "Scottish Borders", 117, ("Borders",)),
    Authority("S12000027", "Shetland Islands", 23, ("Shetland",)),
    Authority("S12000028", "South Ayrshire", 112),
    Authority("S12000029", "South Lanarkshire", 327),
    Authority("S12000030", "Stirling", 93),
    Authority("S12000033", "Aberdeen City", 224, ("Aberdeen",)),
    Authority("S12000034", "Aberdeenshire", 264),
    Authority("S12000035", "Argyll and Bute", 88, ("Argyll & Bute",)),
    Authority(
        "S12000036",
        "City of Edinburgh",
        515,
        (
            "Edinburgh, City of",
            "Edinburgh",
        ),
    ),
    Authority("S12000038", "Renfrewshire", 184),
    Authority("S12000039", "West Dunbartonshire", 88),
    Authority("S12000040", "West Lothian", 182),
    Authority("S12000041", "Angus", 115),
    Authority("S12000042", "Dundee City", 148, ("Dundee",)),
    Authority("S12000045", "East Dunbartonshire", 109),
    Authority("S12000047", "Fife", 371, retired_code="S12000015"),
    Authority("S12000048", "Perth and Kinross", 151, ("Perth & Kinross",), retired_code="S12000024"),
    Authority("S12000049", "Glasgow City", 622, ("Glasgow",), retired_code="S12000046"),
    Authority("S12000050", "North Lanarkshire", 341, retired_code="S12000044"),
)


@dataclass(frozen=True, slots=True)
class HealthBoard:
    """The area of a health board: since April 2014 each is made up of whole authorities. Codes seen in public sources, members not."""

    code: str
    name: str
    members: tuple[str, ...]
    """Codes of its authorities."""


_BOARDS = (
    HealthBoard("S08000015", "Ayrshire and Arran", ("S12000008", "S12000021", "S12000028")),
    HealthBoard("S08000016", "Borders", ("S12000026",)),
    HealthBoard("S08000017", "Dumfries and Galloway", ("S12000006",)),
    HealthBoard("S08000019", "Forth Valley", ("S12000005", "S12000014", "S12000030")),
    HealthBoard("S08000020", "Grampian", ("S12000020", "S12000033", "S12000034")),
    HealthBoard("S08000022", "Highland", ("S12000017", "S12000035")),
    HealthBoard("S08000024", "Lothian", ("S12000010", "S12000019", "S12000036", "S12000040")),
    HealthBoard("S08000025", "Orkney", ("S12000023",)),
    HealthBoard("S08000026", "Shetland", ("S12000027",)),
    HealthBoard("S08000028", "Western Isles", ("S12000013",)),
    HealthBoard("S08000029", "Fife", ("S12000047",)),
    HealthBoard("S08000030", "Tayside", ("S12000041", "S12000042", "S12000048")),
    HealthBoard(
        "S08000031",
        "Greater Glasgow and Clyde",
        ("S12000011", "S12000018", "S12000038", "S12000039", "S12000045", "S12000049"),
    ),
    HealthBoard("S08000032", "Lanarkshire", ("S12000029", "S12000050")),
)

AUTHORITIES: dict[str, Authority] = {authority.code: authority for authority in _ALL}
HEALTH_BOARDS: dict[str, HealthBoard] = {board.code: board for board in _BOARDS}
CURRENT_CODES = {code: code for code in AUTHORITIES} | {a.retired_code: a.code for a in _ALL if a.retired_code}
"""The code in force, by every code that an authority has or had."""


def current_code(code: str) -> str | None:
    """The code in force for a current or retired code; None for a code that no authority ever had."""
    return CURRENT_CODES.get(code)


def codes_of(authority: str) -> list[str]:
    """Return the codes under which an authority is named: its current one, and what it replaced."""
    return [code for code, current in CURRENT_CODES.items() if current == authority]
