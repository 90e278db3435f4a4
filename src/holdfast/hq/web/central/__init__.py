"""Pages of central value: accounts, prepared cards, locks, differences and the proof (GC9, GC11, P8)."""
