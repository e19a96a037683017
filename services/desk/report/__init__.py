"""The performance report of one authority: what is asked for it, what is said of it, and how it is written."""
