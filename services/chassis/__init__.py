"""What every service runs on. No word of the domain."""
