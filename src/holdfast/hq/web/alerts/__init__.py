"""What people must look at: forks, entries in quarantine, registers that are refused, lost state."""
