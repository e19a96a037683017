"""Inputs that are generated, and what must hold whatever they are."""
