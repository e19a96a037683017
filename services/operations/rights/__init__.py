"""Requests of people, and the proof that they were honoured: the audit, retention, and what is held about a person."""
