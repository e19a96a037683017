"""The 32 local authorities of Scotland, their statistical codes and the retired codes that still arrive.

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

AUTHORITIES: dict[str, Authority] = {authority.code: authority for authority in _ALL}
_CURRENT = {code: code for code in AUTHORITIES} | {a.retired_code: a.code for a in _ALL if a.retired_code}


def current_code(code: str) -> str | None:
    """The code in force for a current or retired code; None for a code that no authority ever had."""
    return _CURRENT.get(code)
