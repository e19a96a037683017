"""What managers decide: missed duties acknowledged, what they set for their authority, and feeds."""
