"""The embedded stack: a real PostgreSQL, a broker that speaks Kafka's protocol, and every service, on one machine.

For the demo and for trying things. The broker keeps nothing on disk, so a stack begins empty every time.
"""
