"""The indicators and areas, as data."""
