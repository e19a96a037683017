"""Access to Kafka for outsiders, and for the platform's own services."""
