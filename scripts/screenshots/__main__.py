"""`make screenshots`: start the demo's chain, work a day in it, and write every picture of docs/img anew."""

import os
import subprocess
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from holdfast.demo.chain import Chain, scratch_folder
from scripts.screenshots.camera import Camera
from scripts.screenshots.gallery import gallery
from scripts.screenshots.gift_cards import photograph_gift_cards
from scripts.screenshots.head_office import photograph_board, photograph_head_office
from scripts.screenshots.listing import PICTURES, files
from scripts.screenshots.loyalty import photograph_loyalty
from scripts.screenshots.outage import photograph_outage
from scripts.screenshots.stock import photograph_stock_at
from scripts.screenshots.till import photograph_cash, photograph_till

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "img"


def main() -> None:
    """Every picture that is listed, or an error."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    chromium = subprocess.run(
        [ROOT / "scripts" / "ensure-chromium"], check=True, capture_output=True, text=True
    ).stdout.strip()
    camera = Camera(FOLDER, PICTURES)
    with scratch_folder() as folder, Chain(folder, say=print) as chain, sync_playwright() as playwright:
        # A container's root has no sandbox to run Chromium in.
        arguments = ["--lang=en-GB", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        for photograph in (
            photograph_till,
            photograph_stock_at,
            photograph_cash,
            photograph_loyalty,
            photograph_gift_cards,
            photograph_outage,
            photograph_head_office,
            photograph_board,
        ):
            print(f"{photograph.__name__} …", flush=True)
            photograph(browser, chain, camera)
        browser.close()
    missing = {picture.name for picture in PICTURES} - camera.taken
    assert not missing, f"listed and not taken: {missing}"
    listed = {name for picture in PICTURES for name in files(picture)}
    for path in FOLDER.glob("*.png"):
        if path.name not in listed:
            path.unlink()
    (ROOT / "docs" / "pictures.md").write_text(gallery())
    print(f"{len(camera.changed)} pictures are new or changed; {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
