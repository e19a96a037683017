"""Kafka: reading streams safely and in order, sending, and containing failures."""
