"""Every role's core in one process, under seeded faults of network, disk, power and clock."""
