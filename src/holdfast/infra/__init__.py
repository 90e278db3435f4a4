"""Thin I/O that every role shares: clock, keys, config, HTTP client, SQLite, migrations and logging."""
