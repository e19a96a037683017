"""The mapping as a form, for those who do not write YAML: what each column is taken for, and how it is read."""
