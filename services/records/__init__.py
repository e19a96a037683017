"""The shared engine of orders and unpaid work, not a service itself: everything that both do with their authorities' records."""
