"""What every suite shares: how hypothesis behaves, which event loop, and where Chromium is."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

# A busy machine is no failure, so no deadline. CI repeats the same examples: it fails for a change only.
settings.register_profile("holdfast", deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.load_profile("holdfast")


LONG_FIRST = ("simulation", "browser", "integration", "crash", "property", "contract")
"""Folders in the order of their files' length; all others, of short files, come last."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first: each worker takes the next file, and at the end none waits long for another."""
    ranks = {ROOT / "tests" / folder: rank for rank, folder in enumerate(LONG_FIRST)}
    items.sort(key=lambda item: min((ranks.get(up, len(ranks)) for up in item.path.parents), default=0))


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio, as granian does."""
    return "asyncio"


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The browser to hand to Playwright as `executable_path`; installed where there is none."""
    script = ROOT / "scripts" / "ensure-chromium"
    return subprocess.run([script], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
