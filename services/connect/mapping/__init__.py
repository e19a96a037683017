"""The mapping: what it may say, how it is read, bound to columns, and proposed."""
