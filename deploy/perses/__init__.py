"""Dashboards for Perses."""
