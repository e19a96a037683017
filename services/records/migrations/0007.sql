-- What it holds is counted again from the records, when the worker starts with the rules that ask for it.
DROP TABLE persons;
CREATE TABLE persons (
    authority TEXT NOT NULL,
    person_ref TEXT NOT NULL,
    begun DATE NOT NULL,
    ended DATE NOT NULL,
    is_new BOOLEAN NOT NULL,
    orders INTEGER NOT NULL,
    PRIMARY KEY (authority, person_ref, begun, ended, is_new)
);
COMMENT ON TABLE persons IS 'The orders of a person, so that the person counts once.';
