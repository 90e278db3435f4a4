"""The till's loyalty: its prompts in an outage, points on screen, and paying by them (LY1 to LY4)."""
