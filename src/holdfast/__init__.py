"""Holdfast: an offline-first point of sale for retail chains."""

__version__ = "0.1.0"
