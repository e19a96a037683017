"""A worker as a member of its group, by Faust: its application, its consumer, and who gets which topics."""
