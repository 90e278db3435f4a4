"""The Cash area of the till: its acts, its routes, and what its reports say (PO5)."""
