CREATE TABLE redrives (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at TIMESTAMPTZ NOT NULL,
    authority TEXT NOT NULL,
    events INTEGER NOT NULL,
    by TEXT NOT NULL,
    why TEXT NOT NULL
);
COMMENT ON TABLE redrives IS 'Refused events that were sent through again: how many, who had it done, and why.';
