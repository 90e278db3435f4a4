"""Replay: a retailer's history through real registers, as if their cashiers had sold it (SW1, SW6).

Checkout, journal, database and sync are those of a till; only the typing is a program's.
"""
