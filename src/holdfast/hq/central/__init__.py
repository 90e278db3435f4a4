"""Central value at head office: accounts, holds, settlement and their services (GC, LY, OA)."""
