"""Data that goes down to the registers: loaded from CSV, previewed before it counts."""
