"""Every bound of the protocol in one place. A receiver's limit is above every sender's."""

BATCH_ENTRIES = 2_000
"""Entries a sender puts into one batch at the most."""
BATCH_ENTRIES_MAX = 10_000
"""Entries a receiver takes in one batch at the most."""
BATCH_RAW_BYTES = 4 << 20
"""A sender stops adding entries past this many uncompressed bytes (one entry always fits)."""
BATCH_RAW_BYTES_MAX = 16 << 20
"""Uncompressed bytes that a receiver takes: what bounds a zstd bomb."""
BODY_BYTES_MAX = 8 << 20
"""Bytes of one request's body."""
OFFER_EPOCHS_MAX = 64
OFFER_SAMPLES_MAX = 64
FEED_PAGE_ROWS = 5_000
CLOCK_SKEW_REPORT_MS = 2_000
"""A skew above this is shown to people; every skew is recorded."""

PROTOCOL = 1
