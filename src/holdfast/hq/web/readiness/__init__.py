"""Which registers would survive an outage now, and the drills that they held (SW11)."""
