"""What was seen and done: entries that are only ever added, in a schema that the service itself may not change."""
