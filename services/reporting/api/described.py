"""Descriptions in OpenAPI of types in answers that are not Schemas."""

from services.reporting.api.schemas import RowOfSeveral
from services.reporting.disclosure.gate import CellRow, ChangeRow, Explained, PartRow, Row, ToCome, Why
from services.reporting.figures.evidence import Doubt
from services.reporting.figures.quality import Completeness, Lacking, State
from services.reporting.formats.linked_names import Dimension, Value
from services.reporting.read.proofs import Proved
from services.reporting.registry.indicators import Good, Kind, Status
from services.reporting.releases.notices import NoticeKind
from services.reporting.statistics.funnel import ByChance, Limits, Place

DESCRIBED: dict[type, str] = {
    ByChance: "How many authorities lie beyond the limits, how many would by chance alone, and how much they vary.",
    CellRow: "A whole cell, for those who may see them.",
    ChangeRow: "A change as it may be shown.",
    Dimension: "The meaning of one column's values. `property` is null if it is not a dimension there.",
    Doubt: "Why figures of a period may be incomplete, or cannot be judged.",
    Explained: "A figure on two days. The parts add up to the difference, of numerator, denominator and value each. "
    "Where nothing had been reported by a day there is no number of it, and the parts count from nothing.",
    Good: "Which way is better.",
    Kind: "How the value comes from numerator and denominator.",
    Lacking: "The authorities that reported nothing for a period, which its totals leave out.",
    Limits: "The shares between which an authority of this size lies by chance alone, 95 and 99.8 times in 100 at least.",
    NoticeKind: "What a notice is about.",
    PartRow: "What one cause adds to a figure.",
    Place: "Where an authority lies.",
    Proved: "When everything was last proved.",
    Row: "A figure as it may be shown. A suppressed value is null, never zero.",
    RowOfSeveral: "A figure and its indicator.",
    Completeness: "One authority's reporting.",
    State: "How complete an authority's figures of a period are.",
    Status: "The state of a version of a definition.",
    ToCome: "How much is likely still to arrive about one area and period. Where nothing is estimated, `why` says why.",
    Value: "The meaning of one code. `uri` is null if statistics.gov.scot has no name for it.",
    Why: "Why a figure is not shown.",
}
