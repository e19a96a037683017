"""The mapping: its form, and how it is read, bound to columns and proposed."""
