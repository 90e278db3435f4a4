"""Receipts at head office: whose codes registers believe, and what came back twice on one receipt (PO8)."""
