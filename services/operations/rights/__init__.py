"""What people may ask for, and what shows that it was kept: the audit, retention, and what is held about a person."""
