"""The notice of a disk that is filling up."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from holdfast.hq.web.home.disk import LOW_BYTES, low_disk
from holdfast.infra.config import HeadOfficeConfig, HeadOfficeHome


@pytest.mark.parametrize(
    ("free", "total", "low"),
    [
        (LOW_BYTES, 10 * LOW_BYTES, False),
        (LOW_BYTES - 1, 10 * LOW_BYTES, True),
        (2 * LOW_BYTES, 1_000 * LOW_BYTES, True),
    ],
)
def test_a_disk_is_low(
    free: int, total: int, *, low: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free, total=total))
    home = HeadOfficeHome(tmp_path)
    embedded: Any = SimpleNamespace(config=HeadOfficeConfig(), home=home)
    yours: Any = SimpleNamespace(config=HeadOfficeConfig(dsn="postgresql://x"), home=home)
    assert (low_disk(embedded) is not None) is low
    assert low_disk(yours) is None
