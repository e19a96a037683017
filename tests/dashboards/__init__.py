"""Dashboards looked at: Perses shows them from a Prometheus that watches everything running."""
