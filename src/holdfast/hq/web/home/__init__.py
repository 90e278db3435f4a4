"""The overview: what came in today, and who needs attention."""
