"""Takes pictures of a page at every size, small on disk, and the same again where the page is the same."""

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageChops
from playwright.sync_api import Page

from scripts.screenshots.listing import Picture, file_name

COLORS = 16
"""A page has few; the edges of its letters need the rest. Up to 16 are stored in half a byte each."""

# What differs from one run to the next is written as of one day while the picture is taken: a picture changes
# when its page does. Each text is put back after it.
_STEADY = r"""
() => {
    const rules = [
        [/\b\d{1,2}:\d\d:\d\d\b/g, "10:24:00"],
        [/\b\d{1,2}:\d\d(?=\b|\u202f|\u00a0)/g, "10:24"],
        [/\b(R0\d(?:-C)?)-[0-9A-Z]{5}-/g, "$1-8KQ2M-"],
        [/\b127\.0\.0\.1:\d+/g, "127.0.0.1:8460"],
    ];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const kept = [];
    while (walker.nextNode()) {
        const node = walker.currentNode, was = node.data;
        const text = rules.reduce((text, [found, put]) => text.replace(found, put), was);
        if (text !== was) { node.data = text; kept.push([node, was, text]); }
    }
    window.putBack = () => kept.forEach(([node, was, text]) => { if (node.data === text) node.data = was; });
}
"""
_SETTLED = """
() => document.fonts.ready.then(() => new Promise((done) => {
    requestAnimationFrame(() => requestAnimationFrame(() => done(true)));
}))
"""


class Camera:
    """Writes into one folder, and knows what it has taken."""

    def __init__(self, folder: Path, pictures: Sequence[Picture]) -> None:
        self._folder = folder
        self._pictures = {picture.name: picture for picture in pictures}
        self.taken: set[str] = set()
        self.changed: list[str] = []

    def take(self, page: Page, name: str) -> None:
        """The page as it stands, at each size of the picture; then it has the size of before."""
        picture = self._pictures[name]
        before = page.viewport_size
        page.mouse.move(0, 0)
        for width, height in picture.sizes:
            page.set_viewport_size({"width": width, "height": height})
            page.evaluate(_SETTLED)
            page.evaluate(_STEADY)
            taken = page.screenshot(animations="disabled", caret="hide")
            page.evaluate("window.putBack()")
            self._keep(file_name(name, width), taken)
        page.set_viewport_size(
            cast("ViewportSize", before or dict(zip(("width", "height"), SIZES[0], strict=True)))
        )
        self.taken.add(name)

    def _keep(self, name: str, png: bytes) -> None:
        path = self._folder / name
        new = Image.open(io.BytesIO(png)).convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
        if path.exists() and _is_same(new, path):
            return
        new.save(path, optimize=True)
        self.changed.append(name)


def _is_same(new: Image.Image, path: Path) -> bool:
    with Image.open(path) as kept:
        old = kept.convert("RGB")
    return old.size == new.size and ImageChops.difference(old, new.convert("RGB")).getbbox() is None
