"""From the log to PostgreSQL and on to the national topic: the worker, its tables and its publisher."""
