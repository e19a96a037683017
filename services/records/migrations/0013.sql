-- Who publishes, so that what a publisher leaves open when it dies is ended at once.
CREATE TABLE producers (id text PRIMARY KEY);
