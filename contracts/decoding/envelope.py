"""The CloudEvents 1.0 attributes around the data of an event, and what is allowed in them."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta, Raw, Struct

from contracts.decoding.times import RFC3339
from contracts.events import written

MAX_BYTES = 64 * 1024
TYPE_PREFIX = "scot.payback."
MAX_SEQUENCE = 10**9 - 1
"""More than the nation will ever send, and so small that no sum of such numbers exceeds 64 bits."""
SOURCE = r"/authorities/(S[0-9]{8})(?:/systems/([A-Za-z0-9._-]{1,64}))?"
EXTRACT_ROW = r"[0-9a-f]{16}\.[1-9][0-9]{0,4}\.[1-9][0-9]{0,8}"
CASELOAD = "[A-Za-z._-]{0,12}[0-9][A-Za-z0-9._-]{0,7}"
SIGNATURE = r"[A-Za-z0-9_-]{1,256}\.\.[A-Za-z0-9_-]{86}"
"""A JWS in compact form without its payload."""
_WORD = "[A-Za-z0-9._+-]{1,64}"
_PARAMETER = rf' {{0,8}}; {{0,8}}({_WORD}=({_WORD}|"[ !#-~]{{0,64}}"))?'
_JSON = "".join(f"[{letter.upper()}{letter}]" if letter.isalpha() else letter for letter in "application/json")
MEDIA_TYPE = f"{_JSON}({_PARAMETER}){{0,4}}"
"""JSON, in upper or lower case, with any parameters that RFC 9110 allows: RFC 8259 gives them no effect."""

Sequence = Annotated[int, Meta(ge=1, le=MAX_SEQUENCE)] | Annotated[str, written("0{0,55}[1-9][0-9]{0,8}", "")]


class Attributes(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """The CloudEvents 1.0 attributes as they are sent."""

    specversion: Annotated[Literal["1.0"], Meta(description="The version of CloudEvents.")]
    id: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=64,
            description="Unique within the source. No control characters.",
            extra_json_schema={"pattern": r"^[^\u0000-\u001f\u007f]*$"},
        ),
    ]
    source: Annotated[
        str,
        Meta(
            description="The event's authority: /authorities/<code>, optionally followed by /systems/<name>.",
            extra_json_schema={"pattern": f"^{SOURCE}$"},
        ),
    ]
    type: Annotated[str, Meta(description="The name of the event, and its version.")]
    subject: Annotated[
        str, written("[A-Za-z0-9._/-]{1,40}", "The order reference; - for events about the authority itself.")
    ]
    datacontenttype: Annotated[
        Annotated[str, written(MEDIA_TYPE, "")] | None, Meta(description="The form of the data: application/json.")
    ] = None
    sequence: Annotated[
        Sequence | None,
        Meta(description="The source's own counter, contiguous from 1, so that gaps show. A number, or its digits."),
    ] = None
    sequencetype: Annotated[
        Literal["Integer"] | None, Meta(description="The form of `sequence`, if a system gives it.")
    ] = None
    producerversion: Annotated[
        Annotated[str, written("[!-~]{1,64}", "")] | None,
        Meta(description="The software and version that sent it, such as acme-case/4.2."),
    ] = None
    caseload: Annotated[
        Annotated[str, written(CASELOAD, "")] | None,
        Meta(
            description="Who works with the order, as a code of the authority's own with a digit in it. Never a name."
        ),
    ] = None
    extractrow: Annotated[
        Annotated[str, written(EXTRACT_ROW, "")] | None,
        Meta(
            description="The row of a file that states it: the first 16 digits of the file's SHA-256, the number of the sheet, the "
            "number of the row. No name of a file or sheet, since that may be a person's."
        ),
    ] = None
    signature: Annotated[
        Annotated[str, written(SIGNATURE, "")] | None,
        Meta(
            description="By the authority's own key: a detached JWS (RFC 7515, appendix F) with Ed25519 over the event without this "
            "member, which is its last."
        ),
    ] = None
    dataschema: Annotated[
        Annotated[str, Meta(max_length=256)] | None, Meta(description="Address of the schema. Ignored.")
    ] = None


class Envelope(Attributes, frozen=True, forbid_unknown_fields=True, kw_only=True):
    MEANING: ClassVar[str] = "A CloudEvents 1.0 event as it is sent."

    time: Annotated[
        str,
        Meta(
            description="When the source system recorded the fact, as RFC 3339 with an offset. "
            "A later record replaces an earlier one.",
            extra_json_schema={"format": "date-time", "pattern": f"^{RFC3339}$"},
        ),
    ]
    data: Any


class PlainEnvelope(Attributes, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """The same attributes, for the decoder that also reads the time and accepts two notations beyond RFC 3339."""

    time: Annotated[datetime, Meta(tz=True)]
    data: Raw
