"""The list of authorities as data, and how it is read."""
