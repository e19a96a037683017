"""Separation of callers: walls between authorities, and budgets of what each may use."""
