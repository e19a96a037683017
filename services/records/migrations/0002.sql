-- What lists show, transfers, counters of sources, and what was counted again.
ALTER TABLE records ADD COLUMN standing JSONB, ADD COLUMN came_from TEXT, ADD COLUMN left_on DATE;
CREATE INDEX records_open ON records (authority, imposed_on, subject) WHERE ended_on IS NULL;
CREATE INDEX records_findings ON records (authority, subject) WHERE standing ? 'findings';
CREATE INDEX records_came_from ON records (came_from) WHERE came_from IS NOT NULL;
CREATE INDEX records_arrived ON records (authority, subject) WHERE came_from IS NOT NULL;
CREATE INDEX records_left ON records (authority, left_on) WHERE left_on IS NOT NULL;
DROP INDEX records_imposed;
CREATE INDEX records_imposed ON records (authority, imposed_on, subject);
-- Makes every worker count again, and so fill the new columns.
UPDATE shards SET counted_by = '';

CREATE TABLE counters (
    authority TEXT NOT NULL,
    system TEXT NOT NULL,
    highest BIGINT NOT NULL,
    PRIMARY KEY (authority, system)
);
COMMENT ON TABLE counters IS 'The highest number that came of each source''s own counter.';

CREATE TABLE gaps (
    authority TEXT NOT NULL,
    system TEXT NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    month DATE NOT NULL,
    PRIMARY KEY (authority, system, first)
);
COMMENT ON TABLE gaps IS 'Numbers below the highest that have not come, with the month of the number after them.';

CREATE TABLE recounts (
    authority TEXT NOT NULL,
    version BIGINT NOT NULL,
    known_on DATE NOT NULL,
    rules_before TEXT NOT NULL,
    rules_after TEXT NOT NULL,
    calendar TEXT NOT NULL,
    cells_changed INTEGER NOT NULL,
    PRIMARY KEY (authority, version)
);
COMMENT ON TABLE recounts IS 'When cells were counted again because the rules, a standard or a calendar changed.';
