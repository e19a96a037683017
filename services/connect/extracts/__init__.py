"""Extracts as they are: files and queries to tables, headings and cells."""
