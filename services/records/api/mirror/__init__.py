"""What an authority sees of what it sent: what became of events, what was refused, and both as they come and go."""
