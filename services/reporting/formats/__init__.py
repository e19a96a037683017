"""The same answer in each format, with the words that explain it."""
