"""Customers of the whole chain: gathered from registers, merged, forgotten, and sent down again (PO7)."""
