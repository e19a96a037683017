"""Descriptions in OpenAPI of types in the answers of orders and unpaid work that are not Schemas."""

from contracts.categories import ClockState
from contracts.rejections import Reason
from services.chassis.audit.model import Kind, Purpose
from services.records.api.decisions.acknowledging import AcknowledgedFor
from services.records.api.duties.choosing import Sorting, Urgency
from services.records.ingest.news import News

DESCRIBED: dict[type, str] = {
    AcknowledgedFor: "Why a missed duty needs no further action.",
    ClockState: "The state of a clock on a day: the same words in answers, worklists, pages and documents.",
    Kind: "Whether it was a view or an action.",
    News: "What changed.",
    Purpose: "The stated purpose of a view.",
    Reason: "The code, and how to correct the error that it names.",
    Sorting: "The order of duties: date due (the latest first with latest), date imposed, order, or standard.",
    Urgency: "How urgent a duty is: due today, due soon, past the authority's own target and nationally due later, overdue, or overdue and "
    "acknowledged.",
}
