"""Records and how they count, pure: facts, deadlines, findings and cells."""
