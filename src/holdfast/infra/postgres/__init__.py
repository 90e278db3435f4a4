"""PostgreSQL: the embedded server, connections to any server, backup and restore."""
