"""Where head office keeps what it holds: one port, an adapter in memory and one on PostgreSQL."""
