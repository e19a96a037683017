"""Reads extracts as they are: from files and queries to tables, headings and cells."""
