"""A signed tree of each authority's accepted events."""
