"""What is watched, and the page of its definitions."""
