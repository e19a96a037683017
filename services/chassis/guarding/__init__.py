"""What keeps callers from one another: budgets of what each may take."""
