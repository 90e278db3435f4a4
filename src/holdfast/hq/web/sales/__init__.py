"""Sales: what registers sold, brought back or adjusted, as head office has it."""
