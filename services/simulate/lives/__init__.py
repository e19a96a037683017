"""What happens to the people: orders imposed, lived out, breached, transferred and ended."""
