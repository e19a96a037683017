-- The first and the last period in which an order counts, so that what stands behind a number is found without reading every order.
-- Empty until the worker counts again, which it does when it starts.
ALTER TABLE records ADD COLUMN counts_from DATE, ADD COLUMN counts_until DATE;
CREATE INDEX records_counting ON records (authority, counts_until, counts_from);
