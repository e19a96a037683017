"""Somebody who fetches all that an audience may see, and works out what was hidden."""
