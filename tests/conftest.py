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


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio, as granian does."""
    return "asyncio"


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The browser to hand to Playwright as `executable_path`; installed where there is none."""
    script = ROOT / "scripts" / "ensure-chromium"
    return subprocess.run([script], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
