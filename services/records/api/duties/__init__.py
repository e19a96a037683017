"""Duties that open orders have missed or must meet soon, counted and listed by urgency; and lists of orders with them."""
