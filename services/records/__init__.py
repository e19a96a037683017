"""The shared engine of orders and unpaid work, not a service: what each of them does with the records of its authorities."""
