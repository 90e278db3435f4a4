"""Taking in a snapshot of all feeds from a file: how a register without a line gets its catalogue."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from holdfast.core.faults import ConfigurationFault, MalformedFault
from holdfast.core.refusals import Refusal
from holdfast.core.sync.feed import FEEDS, PAYLOAD_BYTES_MAX, Snapshot, unpack
from holdfast.infra.clock import SystemClock
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config
from holdfast.infra.keys import DatabaseKey, verify
from holdfast.register.sync.feed_store import FeedStore
from holdfast.register.sync.reference_file import open_reference
from holdfast.register.sync.trust import load_trust


def take_snapshot(home: RegisterHome, file: Path) -> Iterator[str]:
    """Take the feeds of a snapshot in, saying what came of each.

    ConfigurationFault where the file cannot be read; SignatureFault, MalformedFault and TooLargeFault where
    it is not this chain's head office's word. An older one than the register has changes nothing.
    """
    config = load_config(home.config, RegisterConfig)
    keys = load_trust(home).head_office_keys
    try:
        with file.open("rb") as content:
            data = content.read(PAYLOAD_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigurationFault(f"The snapshot {file} cannot be read ({error.strerror}).") from error
    snapshot = unpack(data, "snapshot", Snapshot, keys, verify)
    now_ms = SystemClock(config.timezone).now_ms()
    with contextlib.closing(open_reference(home, DatabaseKey.load(home.database_key))) as connection:
        feeds = FeedStore(connection)
        for page in snapshot.pages:
            if page.feed not in FEEDS:  # head office is newer than this register
                yield f"{page.feed}: not known to this version, passed over"
                continue
            before = feeds.current(page.feed)
            refusal = feeds.take_whole(page, made_ms=snapshot.made_at_ms, now_ms=now_ms)
            if isinstance(refusal, Refusal):
                raise MalformedFault(refusal.sentence)
            is_new = feeds.current(page.feed) != before
            yield f"{page.feed}: {len(page.rows)} rows taken" if is_new else f"{page.feed}: nothing newer"
