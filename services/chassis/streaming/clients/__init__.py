"""Kafka beside the streams: connections, sending with acknowledgement, administration, and reading by offset."""
