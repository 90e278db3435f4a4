"""Receipts: what stands on them, as lines of text, and its signed code (PO8, PO3)."""
