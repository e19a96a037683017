-- What was published is kept apart from what was counted: whoever publishes holds no row that a worker needs.
CREATE TABLE publications (
    authority TEXT NOT NULL,
    generation INTEGER NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (authority)
);
COMMENT ON TABLE publications IS 'What was last published of each authority; who publishes holds the row until it is done.';
INSERT INTO publications SELECT authority, published_generation, published_version FROM shards;
ALTER TABLE shards DROP COLUMN published_generation, DROP COLUMN published_version;

-- What the last record taken was, so that a log that went back is noticed.
ALTER TABLE checkpoints ADD COLUMN last_timestamp BIGINT, ADD COLUMN last_checksum BIGINT;

-- Where the database lives, so that one that went back is noticed.
CREATE TABLE epoch (
    here BOOLEAN NOT NULL,
    lineage TEXT NOT NULL,
    PRIMARY KEY (here)
);
COMMENT ON TABLE epoch IS 'One row: on which server and timeline the database was when a worker last looked.';
