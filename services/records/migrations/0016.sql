-- Refusals and findings as they come and go, by the commit in which they did, so that they can be followed with nothing missed.
CREATE TABLE changes (
    authority TEXT NOT NULL,
    version BIGINT NOT NULL,
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
    subject TEXT,
    rule TEXT,
    event_id TEXT,
    "offset" BIGINT,
    PRIMARY KEY (authority, version, number)
);
COMMENT ON TABLE changes IS 'Refusals and findings as they come and go, by the commit in which they did.';
