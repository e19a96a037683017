"""The indicators and areas that there are, as data."""
