"""Kafka: what reads streams in order and safely, what sends, and what contains a fault."""
