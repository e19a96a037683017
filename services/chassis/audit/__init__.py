"""The audit of what was seen and done: entries are only ever added, in a schema that the service itself may not change."""
