"""The list of authorities as data, and its reader."""
