"""Queries of the schema reporting, and its vintages."""
