"""A page on one's own machine: drop a table, see what would be sent and what refused, and send. Needs `payback-connect[page]`."""
