"""Turns an authority's own tables into events: read, mapped, compared with what was sent before, sent. Runs at the authority.

It imports nothing of Kafka or PostgreSQL; everything that is sent goes through the library of `contracts.client`.
"""
