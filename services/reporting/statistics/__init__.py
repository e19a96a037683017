"""Intervals, estimates of what is still to come, and causes of change, pure."""
