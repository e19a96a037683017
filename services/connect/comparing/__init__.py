"""Compares an extract with what was sent before, and finds the events that follow."""
