"""Signed proof of what was accepted, which anybody can check without the platform."""
