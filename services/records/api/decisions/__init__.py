"""Managers' decisions: acknowledged duties, their authority's own settings, and calendar feeds."""
