"""From national.aggregates into the schema reporting."""
