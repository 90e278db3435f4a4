"""Stock: counts and transfers as entries, and how a counted figure stays true whatever comes late (ST2)."""
