"""Loyalty: points that a named customer earns and pays with, and its real-time part, which can be disabled.

Points are central value (`core.central`): a sale's entry brings what was earned, so that points accrue once
whenever it arrives. Seeing and redeeming them needs head office (LY4).
"""
