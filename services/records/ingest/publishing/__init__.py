"""Publishes changed cells to `national.aggregates`."""
