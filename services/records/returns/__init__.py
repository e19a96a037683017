"""The yearly returns, made from records by mappings."""
