-- A service of two topics may be further in the one than in the other; each is known up to its own day.
ALTER TABLE shards ADD COLUMN reached JSONB NOT NULL DEFAULT '{}';
UPDATE shards SET reached = (
    SELECT coalesce(jsonb_object_agg(split_part(c.topic, '.', 1) || '.' || split_part(c.topic, '.', 2), shards.known_on), '{}')
    FROM checkpoints c WHERE right(c.topic, 9) = shards.authority AND c.next_offset > 0
);
ALTER TABLE shards ALTER COLUMN reached DROP DEFAULT, DROP COLUMN known_on;
