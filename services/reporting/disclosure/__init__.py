"""The gate: which numbers may leave, and how the others are protected."""
