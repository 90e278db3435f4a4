"""Registers: what head office knows of each, and what it does not (P6)."""
