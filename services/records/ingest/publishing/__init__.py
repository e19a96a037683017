"""Changed cells to `national.aggregates`."""
