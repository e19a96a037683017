"""The lives of orders: imposed, served, breached, transferred and ended."""
