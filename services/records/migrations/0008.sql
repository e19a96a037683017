-- Authorities of which nothing is taken for now, since the platform fails on one of their events; and what operators did about it.
CREATE TABLE parks (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    authority TEXT NOT NULL,
    action TEXT NOT NULL,
    topic TEXT,
    partition INTEGER,
    "offset" BIGINT,
    said TEXT NOT NULL,
    by TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id)
);
COMMENT ON TABLE parks IS 'Parked, retried, skipped: the latest row of an authority says whether its events are taken.';
CREATE INDEX parks_authority ON parks (authority, id);

-- Times of messages that Kafka cannot be right about, and what was used in their place, so that a rebuild says the same.
CREATE TABLE record_times (
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    "offset" BIGINT NOT NULL,
    authority TEXT NOT NULL,
    recorded BIGINT NOT NULL,
    used TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (topic, partition, "offset")
);
COMMENT ON TABLE record_times IS 'Which time was used for messages whose time in Kafka cannot be, or that an operator knows better.';

-- Which later event mended a refused one; and which numbers of a source's counter different events bore.
ALTER TABLE rejections ADD COLUMN system TEXT, ADD COLUMN mended_by BIGINT;
UPDATE rejections r SET mended_by = (
    SELECT min(a."offset") FROM arrivals a
    WHERE a.event_id = r.event_id AND a.authority = r.authority AND a."offset" > r."offset" AND a.outcome < 3
);
CREATE INDEX rejections_open ON rejections (authority, event_id) WHERE mended_by IS NULL;

CREATE TABLE numbered (
    authority TEXT NOT NULL,
    system TEXT NOT NULL,
    block BIGINT NOT NULL,
    marks BYTEA NOT NULL,
    PRIMARY KEY (authority, system, block)
);
COMMENT ON TABLE numbered IS 'Marks of the events that bore the numbers of a block, to tell a repeat from another event.';

CREATE TABLE reused (
    authority TEXT NOT NULL,
    system TEXT NOT NULL,
    number BIGINT NOT NULL,
    month DATE NOT NULL,
    PRIMARY KEY (authority, system, number)
);
COMMENT ON TABLE reused IS 'Numbers that different events of a source bore.';
