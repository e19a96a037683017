"""What an extract says, compared with what was said before, and the events that follow."""
