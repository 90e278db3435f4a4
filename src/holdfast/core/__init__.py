"""The rules of the trade as pure functions and values: no I/O, clock, randomness, threads or framework."""
