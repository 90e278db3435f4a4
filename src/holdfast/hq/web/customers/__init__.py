"""Customers: search, one customer with his sales, merging, forgetting."""
