"""The authority's view of the events that it sent: outcomes, refusals, and a feed of changes."""
