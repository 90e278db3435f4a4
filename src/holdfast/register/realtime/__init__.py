"""Real-time services from the till's page: calls in a session of their own, each within a deadline."""
