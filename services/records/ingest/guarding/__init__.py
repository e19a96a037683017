"""Guards that keep workers from writing stale, lost or parked data, and APIs from seeing another authority's rows."""
