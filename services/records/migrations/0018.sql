-- A tree of the accepted events of each authority, with a signed head for each day that was closed.
CREATE TABLE tree_leaves (
    authority TEXT NOT NULL,
    number BIGINT NOT NULL,
    event_id TEXT,
    entry TEXT,
    salt BYTEA,
    PRIMARY KEY (authority, number)
);
CREATE INDEX tree_leaves_event ON tree_leaves (authority, event_id);
COMMENT ON TABLE tree_leaves IS 'What is said of each accepted event in the authority''s tree; nothing of one that was erased, whose hash stays.';
CREATE TABLE tree_nodes (
    authority TEXT NOT NULL,
    level SMALLINT NOT NULL,
    number BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (authority, level, number)
);
COMMENT ON TABLE tree_nodes IS 'Hashes of full subtrees of the authority''s tree of accepted events. They never change.';
CREATE TABLE tree_heads (
    authority TEXT NOT NULL,
    day DATE NOT NULL,
    size BIGINT NOT NULL,
    root BYTEA NOT NULL,
    next_offset BIGINT NOT NULL,
    signed TEXT NOT NULL,
    PRIMARY KEY (authority, day)
);
COMMENT ON TABLE tree_heads IS 'The signed head of the tree as each day was closed.';
CREATE TABLE tree_keys (
    name TEXT NOT NULL,
    public JSONB NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (name)
);
COMMENT ON TABLE tree_keys IS 'Public keys by which heads are checked, for as long as there are heads.';
