"""The sequence numbers of each source that arrived, and those used twice."""
