"""Walks of one authority over every route of an application, and what is compared of two of them."""
