-- Who never had an event taken was never heard. What stood here for it was a day of long ago, or that of a refused event.
ALTER TABLE shards ALTER COLUMN heard_at DROP NOT NULL;
UPDATE shards s SET heard_at = NULL WHERE NOT EXISTS (
    SELECT FROM cells c WHERE c.authority = s.authority AND c.measure = 'events'
    AND c.category IN ('outcome=applied', 'outcome=superseded', 'outcome=duplicate') AND c.delta > 0
);
