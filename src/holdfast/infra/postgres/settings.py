"""The settings of an embedded server: durable always, and made for ingest on a small machine."""

from collections.abc import Mapping
from pathlib import Path

# Nobody may turn these off, not even in postgresql.conf: an acknowledged sale would not be on the disk (P1).
DURABLE = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "zero_damaged_pages": "off",
}

TUNED = {
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_connections": "60",
    "max_wal_size": "2GB",
    "min_wal_size": "256MB",
    "wal_compression": "on",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "max_wal_senders": "4",
    "random_page_cost": "1.1",
    "jit": "off",  # it costs more than it brings for short statements
    "huge_pages": "off",
    # System V memory, because the /dev/shm of a container is often 64 MB: large queries would report a full
    # disk.
    "dynamic_shared_memory_type": "sysv",
    "idle_in_transaction_session_timeout": "5min",  # a forgotten one holds locks and keeps vacuum away
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Logs name the error, never the statement or the row: those hold what customers bought.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_startup_progress_interval": "1s",
}

THROWAWAY = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "512MB",
    "autovacuum": "off",
    "shared_buffers": "128MB",
}
"""For a server whose data is worth nothing until it was verified and synced as a whole (a restore)."""


def server_arguments(
    socket_dir: Path, log_dir: Path, extra: Mapping[str, str], *, durable: bool = True
) -> list[str]:
    """The `-c name=value` arguments of `postgres`; they go before its configuration files."""
    private = {
        "listen_addresses": "",
        "port": "5432",  # only a part of the socket's name
        "unix_socket_directories": str(socket_dir),
        "unix_socket_permissions": "0700",
        "logging_collector": "on",
        "log_destination": "stderr",
        "log_directory": str(log_dir),
        "log_filename": "postgres-%a.log",
        "log_truncate_on_rotation": "on",
        "log_rotation_age": "1d",
        "log_rotation_size": "0",
        "log_line_prefix": "%m [%p] ",
    }
    merged = TUNED | dict(extra) | (DURABLE if durable else THROWAWAY) | private
    return [part for name, value in merged.items() for part in ("-c", f"{name}={value}")]
