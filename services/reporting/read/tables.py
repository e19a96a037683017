"""The tables of the schema `reporting`. They hold counts, never a row about one person or one order."""

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Index, Integer, LargeBinary, MetaData, Numeric, Table, Text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

metadata = MetaData()
_instant = TIMESTAMP(timezone=True)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("next_offset", BigInteger, nullable=False),
    Column("cluster_id", Text, nullable=False),
    Column("topic_id", Text, nullable=False),
    Column("last_timestamp", BigInteger),
    Column("last_checksum", BigInteger),
    comment="How far the aggregates were read; compare-and-set, in the transaction of what was read.",
)

sessions = Table(
    "sessions",
    metadata,
    Column("handle", Text, primary_key=True),
    Column("account", Text, nullable=False, index=True),
    Column("site", Text, nullable=False),
    Column("browser", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("began_at", _instant, nullable=False),
    Column("seen_at", _instant, nullable=False),
    Column("ends_at", _instant, nullable=False),
    comment="Who is signed in to pages, of the desk too. A session that ended is not there.",
)

put_aside = Table(
    "put_aside",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    Column("key", LargeBinary),
    Column("value", LargeBinary),
    Column("seal", LargeBinary),
    Column("fault", Text, nullable=False),
    Column("at", _instant, nullable=False),
    comment="Aggregates that this version could not read or store. Tried again at every start.",
)

positions = Table(
    "positions",
    metadata,
    Column("service", Text, primary_key=True),
    Column("authority", Text, primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("offsets", JSONB, nullable=False),
    Column("heard_at", _instant),
    Column("rows_held", BigInteger),
    Column("versions_held", Numeric),
    comment="What is visible of each service and authority: rows of this generation, and which offsets they show.",
)

cells = Table(
    "cells",
    metadata,
    Column("service", Text, primary_key=True),
    Column("authority", Text, primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("measure", Text, primary_key=True),
    Column("category", Text, primary_key=True),
    Column("period", Date, primary_key=True),
    Column("known_on", Date, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("value", BigInteger, nullable=False),
    Index(
        "cells_by_measure",
        *("measure", "category", "period"),
        postgresql_include=["service", "authority", "generation", "known_on", "value"],
    ),
    comment="Every row published, of the visible generation and of one being rebuilt.",
)

present = Table(
    "present",
    metadata,
    Column("measure", Text, primary_key=True),
    Column("authority", Text, primary_key=True),
    Column("period", Date, primary_key=True),
    Column("category", Text, primary_key=True),
    Column("service", Text, primary_key=True),
    Column("known_on", Date, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("value", BigInteger, nullable=False),
    Index("present_by_category", "measure", "category", "period", postgresql_include=["authority", "value"]),
    comment="The latest value of each cell: derived from `cells`, so that reading costs the same after ten years.",
)

proofs = Table(
    "proofs",
    metadata,
    Column("service", Text, primary_key=True),
    Column("authority", Text, primary_key=True),
    Column("proved_at", _instant, nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("mismatches", Integer, nullable=False),
    comment="When all of a service and authority was last compared with the log, and how much did not add up.",
)

releases = Table(
    "releases",
    metadata,
    Column("id", Text, primary_key=True),
    Column("status", Text, nullable=False),
    Column("last_month", Date, nullable=False),
    Column("known_on", Date, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("whole_hash", Text, nullable=False, server_default=""),
    Column("definitions", JSONB, nullable=False),
    Column("heard", JSONB, nullable=False),
    Column("made_at", _instant, nullable=False),
    Column("published_at", _instant),
    Column("withdrawn_at", _instant),
    Column("held_at", _instant),
    comment="Frozen cuts. Only the status and its dates ever change. A draft that is held is published at its announced moment.",
)

announcements = Table(
    "announcements",
    metadata,
    Column("month", Date, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("day", Date),
    Column("at", _instant, nullable=False),
    Column("reason", Text, nullable=False),
    Column("who", Text, nullable=False),
    comment="On which day the figures up to a month will be released, as it was said each time; no day where it was called off.",
)

release_notices = Table(
    "release_notices",
    metadata,
    Column("release", Text, ForeignKey("releases.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", _instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("successor", Text, ForeignKey("releases.id"), index=True),
    comment="What readers of a release must know, in the order in which it was said.",
)


def _cells_of_releases(name: str, comment: str) -> Table:
    return Table(
        name,
        metadata,
        Column("release", Text, ForeignKey("releases.id", ondelete="CASCADE"), primary_key=True),
        Column("measure", Text, primary_key=True),
        Column("category", Text, primary_key=True),
        Column("period", Date, primary_key=True),
        Column("authority", Text, primary_key=True),
        Column("value", BigInteger, nullable=False),
        comment=comment,
    )


release_cells = _cells_of_releases("release_cells", "The whole cells of a release.")
public_cells = _cells_of_releases("public_cells", "The cells of a release as the public gets them, rounded.")

rounding_key = Table(
    "rounding_key",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    comment="One row: the secret that decides which way a cell is rounded. Whoever knows it learns more than is published.",
)

release_changes = Table(
    "release_changes",
    metadata,
    Column("release", Text, ForeignKey("releases.id", ondelete="CASCADE"), primary_key=True),
    Column("measure", Text, primary_key=True),
    Column("category", Text, primary_key=True),
    Column("period", Date, primary_key=True),
    Column("authority", Text, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("before", BigInteger, nullable=False),
    Column("after", BigInteger, nullable=False),
    Column("why", Text, nullable=False),
    comment="Cells that moved since the release before, one row for each cause, in their order; and for Scotland as the public gets them.",
)

release_files = Table(
    "release_files",
    metadata,
    Column("release", Text, ForeignKey("releases.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("place", Integer, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
    comment="What the public can take away of a release. Made once, of public figures only.",
)
