"""Day closings per store and date, and a register's Z report."""
