"""The faults that are done, by what they are done to."""
