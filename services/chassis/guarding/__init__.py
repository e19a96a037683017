"""Separation of callers: walls between authorities, budgets of what each may use, and a process of its own for the public."""
