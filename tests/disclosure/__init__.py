"""What was measured before public figures were rounded: what each way to protect them hides, how far it errs, and what it gives away."""
