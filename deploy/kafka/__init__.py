"""Access to Kafka for those outside the platform, and for its own services."""
