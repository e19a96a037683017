"""The tables that each service of records has in its own schema."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSON, JSONB, TIMESTAMP

LISTED = ("first_contact", "case_meeting", "plan", "officer", "review", "breach", "transfer")
"""Standards by which the orders service lists who missed them, with an index `records_missed_<standard>` for each."""

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
    comment="How far each source was read; compare-and-set, in the transaction of what was read.",
)

epoch = Table(
    "epoch",
    metadata,
    Column("here", Boolean, primary_key=True),
    Column("lineage", Text, nullable=False),
    comment="One row: on which server and timeline the database was when a worker last looked.",
)

shards = Table(
    "shards",
    metadata,
    Column("authority", Text, primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("reached", JSONB, nullable=False),
    Column("heard_at", _instant),
    Column("counted_by", Text, nullable=False),
    comment="One row an authority: counts its commits, so that a worker that was overtaken cannot write.",
)

publications = Table(
    "publications",
    metadata,
    Column("authority", Text, primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("version", BigInteger, nullable=False),
    comment="What was last published of each authority; who publishes holds the row until it is done.",
)

producers = Table(
    "producers",
    metadata,
    Column("id", Text, primary_key=True),
    comment="Transactional ids of publishers; one whose lock is free is gone, and what it left open is ended.",
)

records = Table(
    "records",
    metadata,
    Column("authority", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("imposed_on", Date),
    Column("ended_on", Date),
    Column("next_due", Date),
    Column("standing", JSONB),
    Column("came_from", Text),
    Column("left_on", Date),
    Column("asked_of", Text),
    Column("asked_on", Date),
    Column("counts_from", Date),
    Column("counts_until", Date),
    PrimaryKeyConstraint("authority", "subject"),
    Index("records_due", "authority", "next_due", postgresql_where=text("ended_on IS NULL")),
    Index("records_imposed", "authority", "imposed_on", "subject"),
    Index("records_open", "authority", "imposed_on", "subject", postgresql_where=text("ended_on IS NULL")),
    Index("records_findings", "authority", "subject", postgresql_where=text("standing ? 'findings'")),
    Index("records_counting", "authority", "counts_until", "counts_from"),
    Index("records_came_from", "came_from", postgresql_where=text("came_from IS NOT NULL")),
    Index("records_arrived", "authority", "subject", postgresql_where=text("came_from IS NOT NULL")),
    Index("records_left", "authority", "left_on", postgresql_where=text("left_on IS NOT NULL")),
    Index("records_asked_by", "authority", "asked_on", postgresql_where=text("asked_of IS NOT NULL")),
    Index("records_asked_of", "asked_of", "asked_on", postgresql_where=text("asked_of IS NOT NULL")),
    Index("records_asking", "asked_of", "authority", "asked_on", postgresql_where=text("asked_of IS NOT NULL")),
    comment="Fact key to the latest fact; the other columns are read off it.",
)

cells = Table(
    "cells",
    metadata,
    Column("authority", Text, nullable=False),
    Column("measure", Text, nullable=False),
    Column("period", Date, nullable=False),
    Column("category", Text, nullable=False),
    Column("known_on", Date, nullable=False),
    Column("delta", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("authority", "measure", "period", "category", "known_on"),
    Index("cells_version", "authority", "version"),
    comment="By how much a cell changed on a day. The sum up to a day is its value as known at the end of that day.",
)

persons = Table(
    "persons",
    metadata,
    Column("authority", Text, nullable=False),
    Column("person_ref", Text, nullable=False),
    Column("begun", Date, nullable=False),
    Column("ended", Date, nullable=False),
    Column("is_new", Boolean, nullable=False),
    Column("orders", Integer, nullable=False),
    PrimaryKeyConstraint("authority", "person_ref", "begun", "ended", "is_new"),
    comment="The orders of a person, so that the person counts once.",
)

rejections = Table(
    "rejections",
    metadata,
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("authority", Text, nullable=False),
    Column("event_id", Text),
    Column("reason", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("key", LargeBinary),
    Column("value", LargeBinary),
    Column("arrived_at", _instant, nullable=False),
    Column("redriven_at", _instant),
    Column("system", Text),
    Column("mended_by", BigInteger),
    PrimaryKeyConstraint("topic", "partition", "offset"),
    Index("rejections_authority", "authority", "arrived_at"),
    Index("rejections_open", "authority", "event_id", postgresql_where=text("mended_by IS NULL")),
    comment="Refused events as they came.",
)

refused_days = Table(
    "refused_days",
    metadata,
    Column("authority", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("reason", Text, nullable=False),
    Column("kept", BigInteger, nullable=False),
    Column("counted", BigInteger, nullable=False),
    Column("first", BigInteger),
    Column("last", BigInteger),
    PrimaryKeyConstraint("authority", "day", "reason"),
    comment="How much was kept of the refused events of a day, and how many beyond that are only counted, with the range of their places.",
)

changes = Table(
    "changes",
    metadata,
    Column("authority", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", _instant, nullable=False, server_default=text("now()")),
    Column("subject", Text),
    Column("rule", Text),
    Column("event_id", Text),
    Column("offset", BigInteger),
    PrimaryKeyConstraint("authority", "version", "number"),
    comment="Refusals and findings as they come and go, by the commit in which they did.",
)

arrivals = Table(
    "arrivals",
    metadata,
    Column("authority", Text, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("outcome", SmallInteger, nullable=False),
    Column("event_id", Text),
    Column("subject", Text),
    Column("arrived_at", _instant, nullable=False),
    PrimaryKeyConstraint("authority", "offset"),
    Index("arrivals_event", "event_id", "authority"),
    comment="What became of each event of the service's own topic.",
)

counters = Table(
    "counters",
    metadata,
    Column("authority", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("highest", BigInteger, nullable=False),
    PrimaryKeyConstraint("authority", "system"),
    comment="The highest number that came of each source's own counter.",
)

gaps = Table(
    "gaps",
    metadata,
    Column("authority", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("month", Date, nullable=False),
    PrimaryKeyConstraint("authority", "system", "first"),
    comment="Numbers below the highest that have not come, with the month of the number after them.",
)

numbered = Table(
    "numbered",
    metadata,
    Column("authority", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("block", BigInteger, nullable=False),
    Column("marks", LargeBinary, nullable=False),
    PrimaryKeyConstraint("authority", "system", "block"),
    comment="Marks of the events that bore the numbers of a block, to tell a repeat from another event.",
)

reused = Table(
    "reused",
    metadata,
    Column("authority", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("month", Date, nullable=False),
    PrimaryKeyConstraint("authority", "system", "number"),
    comment="Numbers that different events of a source bore.",
)

recounts = Table(
    "recounts",
    metadata,
    Column("authority", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("known_on", Date, nullable=False),
    Column("rules_before", Text, nullable=False),
    Column("rules_after", Text, nullable=False),
    Column("calendar", Text, nullable=False),
    Column("cells_changed", Integer, nullable=False),
    PrimaryKeyConstraint("authority", "version"),
    comment="When cells were counted again because the rules, a standard or a calendar changed.",
)

parks = Table(
    "parks",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("authority", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("topic", Text),
    Column("partition", Integer),
    Column("offset", BigInteger),
    Column("said", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", _instant, nullable=False),
    Index("parks_authority", "authority", "id"),
    comment="Parked, retried, skipped: the latest row of an authority says whether its events are taken.",
)

record_times = Table(
    "record_times",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    Column("authority", Text, nullable=False),
    Column("recorded", BigInteger, nullable=False),
    Column("used", _instant, nullable=False),
    comment="Which time was used for messages whose time in Kafka cannot be, or that an operator knows better.",
)

notes = Table(
    "notes",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("authority", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("content", JSONB),
    Column("by", Text, nullable=False),
    Column("at", _instant, nullable=False),
    Index("notes_latest", "authority", "kind", "key", "id"),
    comment="What an authority's managers decided: nothing is changed, the latest row of a key holds; without content it was taken back.",
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("webhook", Text, primary_key=True),
    Column("authority", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("former", Text),
    Column("former_until", _instant),
    Column("by", Text, nullable=False),
    Column("at", _instant, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
    Column("delivered_at", _instant),
    Column("next_at", _instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("failing_since", _instant),
    Column("fault", Text),
    Column("stopped_at", _instant),
    Column("lease", BigInteger, nullable=False),
    Column("leased_until", _instant),
    Index("webhooks_authority", "authority", "at"),
    comment="Who is sent what changes of an authority's refusals and findings, and how far each has got. Secrets are sealed.",
)

tree_leaves = Table(
    "tree_leaves",
    metadata,
    Column("authority", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("event_id", Text),
    Column("entry", Text),
    Column("salt", LargeBinary),
    PrimaryKeyConstraint("authority", "number"),
    Index("tree_leaves_event", "authority", "event_id"),
    comment="What is said of each accepted event in the authority's tree; nothing of one that was erased, whose hash stays.",
)

tree_nodes = Table(
    "tree_nodes",
    metadata,
    Column("authority", Text, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("authority", "level", "number"),
    comment="Hashes of full subtrees of the authority's tree of accepted events. They never change.",
)

tree_heads = Table(
    "tree_heads",
    metadata,
    Column("authority", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("next_offset", BigInteger, nullable=False),
    Column("signed", Text, nullable=False),
    PrimaryKeyConstraint("authority", "day"),
    comment="The signed head of the tree as each day was closed.",
)

tree_keys = Table(
    "tree_keys",
    metadata,
    Column("name", Text, primary_key=True),
    Column("public", JSONB, nullable=False),
    Column("since", _instant, nullable=False),
    comment="Public keys by which heads are checked, for as long as there are heads.",
)
