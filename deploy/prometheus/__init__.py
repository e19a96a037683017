"""The rules of alerts, and the page of metric definitions."""
