-- Which authority was asked to take an order over, so that one that both count can be found.
ALTER TABLE records ADD COLUMN asked_of TEXT, ADD COLUMN asked_on DATE;
CREATE INDEX records_asked_by ON records (authority, asked_on) WHERE asked_of IS NOT NULL;
CREATE INDEX records_asked_of ON records (asked_of, asked_on) WHERE asked_of IS NOT NULL;
-- Makes every worker count again, and so fill the new columns.
UPDATE shards SET counted_by = '';
