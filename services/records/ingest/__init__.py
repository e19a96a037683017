"""From the log to PostgreSQL and on to the national topic: the worker, what it stores and what it publishes."""
