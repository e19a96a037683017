"""The performance report of one authority: the questions for it, its sentences, and its form."""
