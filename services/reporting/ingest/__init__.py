"""Reads national.aggregates into the schema reporting."""
