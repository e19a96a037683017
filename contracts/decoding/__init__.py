"""From bytes, lines and files to events, or to a reason and a path: pure, and the same for validator, APIs and stream."""
