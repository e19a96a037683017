"""An authority's own tables to events: read, mapped, compared with what was said before, sent. Runs at the authority.

Nothing of Kafka or PostgreSQL is imported here; all that is told of orders goes through the library of `contracts.client`.
"""
