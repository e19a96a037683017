-- The tables of a service of records, as of its first migration. Never changed once released.
CREATE TABLE arrivals (
    authority TEXT NOT NULL,
    "offset" BIGINT NOT NULL,
    outcome SMALLINT NOT NULL,
    event_id TEXT,
    subject TEXT,
    arrived_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (authority, "offset")
);
COMMENT ON TABLE arrivals IS 'What became of each event of the service''s own topic.';
CREATE INDEX arrivals_event ON arrivals (event_id, authority);

CREATE TABLE cells (
    authority TEXT NOT NULL,
    measure TEXT NOT NULL,
    period DATE NOT NULL,
    category TEXT NOT NULL,
    known_on DATE NOT NULL,
    delta BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (authority, measure, period, category, known_on)
);
COMMENT ON TABLE cells IS 'By how much a cell changed on a day. The sum up to a day is its value as known at the end of that day.';
CREATE INDEX cells_version ON cells (authority, version);

CREATE TABLE checkpoints (
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    next_offset BIGINT NOT NULL,
    cluster_id TEXT NOT NULL,
    topic_id TEXT NOT NULL,
    PRIMARY KEY (topic, partition)
);
COMMENT ON TABLE checkpoints IS 'How far each source was read; compare-and-set, in the transaction of what was read.';

CREATE TABLE persons (
    authority TEXT NOT NULL,
    person_ref TEXT NOT NULL,
    month DATE NOT NULL,
    orders INTEGER NOT NULL,
    PRIMARY KEY (authority, person_ref, month)
);
COMMENT ON TABLE persons IS 'New orders of a person in a month, so that the person counts once.';

CREATE TABLE records (
    authority TEXT NOT NULL,
    subject TEXT NOT NULL,
    facts JSON NOT NULL,
    imposed_on DATE,
    ended_on DATE,
    next_due DATE,
    PRIMARY KEY (authority, subject)
);
COMMENT ON TABLE records IS 'Fact key to the latest fact; the other columns are read off it.';
CREATE INDEX records_due ON records (authority, next_due);
CREATE INDEX records_imposed ON records (authority, imposed_on);

CREATE TABLE rejections (
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    "offset" BIGINT NOT NULL,
    authority TEXT NOT NULL,
    event_id TEXT,
    reason TEXT NOT NULL,
    path TEXT NOT NULL,
    message TEXT NOT NULL,
    key BYTEA,
    value BYTEA,
    arrived_at TIMESTAMP WITH TIME ZONE NOT NULL,
    redriven_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (topic, partition, "offset")
);
COMMENT ON TABLE rejections IS 'Refused events as they came.';
CREATE INDEX rejections_authority ON rejections (authority, arrived_at);

CREATE TABLE shards (
    authority TEXT NOT NULL,
    generation INTEGER NOT NULL,
    version BIGINT NOT NULL,
    known_on DATE NOT NULL,
    heard_at TIMESTAMP WITH TIME ZONE NOT NULL,
    counted_by TEXT NOT NULL,
    published_generation INTEGER NOT NULL,
    published_version BIGINT NOT NULL,
    PRIMARY KEY (authority)
);
COMMENT ON TABLE shards IS 'One row an authority: counts its commits, so that a worker that was overtaken cannot write.';

