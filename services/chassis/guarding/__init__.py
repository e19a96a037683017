"""What keeps callers from one another: walls between authorities, and budgets of what each may take."""
