-- What managers decide is kept with who and when, and never changed: the latest row of a key holds.
CREATE TABLE notes (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    authority TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    content JSONB,
    by TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX notes_latest ON notes (authority, kind, key, id);
COMMENT ON TABLE notes IS 'What an authority''s managers decided: nothing is changed, the latest row of a key holds; without content it was taken back.';
