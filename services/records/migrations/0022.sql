-- Refused events of a day beyond what is kept are counted, with the range of their places in the log.
CREATE TABLE refused_days (
    authority TEXT NOT NULL,
    day DATE NOT NULL,
    reason TEXT NOT NULL,
    kept BIGINT NOT NULL,
    counted BIGINT NOT NULL,
    first BIGINT,
    last BIGINT,
    PRIMARY KEY (authority, day, reason)
);
COMMENT ON TABLE refused_days IS 'How much was kept of the refused events of a day, and how many beyond that are only counted, with the range of their places.';
