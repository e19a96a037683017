"""Findings: of one record, of orders beside the records of others, and of the authority itself."""
