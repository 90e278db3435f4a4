"""Takes pictures of a page at every size, small on disk, and the same again where the page is the same."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from PIL import Image, ImageChops
from playwright.sync_api import Page

from scripts.screenshots.listing import Picture, file_name

FLAT, SHADED = 6, 10
"""Colours of a picture: so many of the most frequent as they are, and so many for the rest, most of which is
the edges of letters. Sixteen are stored in half a byte each."""
RARE_WEIGHT = 0.35
"""As an exponent of how often a colour is there: a dot that says *offline* is small, and must stay red."""

# What differs from one run to the next is written as of one day while the picture is taken: a picture changes
# when its page does. Each text is put back after it.
_STEADY = r"""
() => {
    const rules = [
        [/\b\d\d:\d\d:\d\d\b/g, "10:24:00"],
        [/(?<![+:\d])\b\d\d:\d\d\b(?!:)/g, "10:24"],
        [/\b\d+ (s|min) ago\b/g, "40 s ago"],
        [/\b\d+\.\d s\b/g, "2.3 s"],
        [/holdfast-demo-\w+/g, "holdfast-demo"],
        [/\b0000(\d\d)-\d{8}T\d{6}Z/g, "0000$1-20261122T102400Z"],
        [/\b[0-9a-f]{64}\b/g, "37693d67e08ad779".repeat(4)],
        [/\b(?=[a-z]*\d)[0-9a-z]{16}\b/g, "k0r4wq2g5hzdjx5n"],
        [/\b[0-9a-z]{26}\b/g, "h0evzgw2g5hzdjx5nakhepnmc0"],
        [/\b[\d,]+ bytes up, [\d,]+ down/g, "86,645 bytes up, 222,963 down"],
        [/\b\d+(\.\d+)? (ms|MB|GB)\b/g, "12 $2"],
        [/\bsegment [0-9A-Z]{5}\b/g, "segment 8KQ2M"],
        [/\b[0-9a-f]{16}(?=\b|…)/g, "37693d67e08ad779"],
        [/\b(R0\d(?:-C)?)-[0-9A-Z]{5}-/g, "$1-8KQ2M-"],
        [/\b127\.0\.0\.1:\d+/g, "127.0.0.1:8460"],
    ];
    // Dates of these days are moved by as many days as have passed since that one.
    const DAY = 86400000, NEAR = 100, past = Math.floor(Date.now() / DAY) - Date.UTC(2026, 10, 22) / DAY;
    const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
    const WEEKDAYS = "Sun Mon Tue Wed Thu Fri Sat".split(" ");
    const moved = (year, month, day) => {
        const date = new Date(Date.UTC(year, month, day) - past * DAY);
        return Math.abs(Date.UTC(year, month, day) - Date.now()) < NEAR * DAY ? date : null;
    };
    const iso = (text) => text.replace(/\b(\d{4})-(\d\d)-(\d\d)\b/g, (all, year, month, day) =>
        moved(+year, month - 1, +day)?.toISOString().slice(0, 10) ?? all);
    const spelled = (text) => text.replace(
        new RegExp(`(?:(${WEEKDAYS.join("|")}) )?\\b(\\d{1,2}) (${MONTHS.join("|")})\\b(?: (\\d{4}))?`, "g"),
        (all, weekday, day, month, year) => {
            const date = moved(+(year || new Date().getUTCFullYear()), MONTHS.indexOf(month), +day);
            if (!date) return all;
            const written = [date.getUTCDate(), MONTHS[date.getUTCMonth()]];
            if (weekday) written.unshift(WEEKDAYS[date.getUTCDay()]);
            if (year) written.push(date.getUTCFullYear());
            return written.join(" ");
        },
    );
    const fields = [...document.querySelectorAll("input[type=date]")].map((field) => [field, field.value]);
    for (const [field, value] of fields) field.value = iso(value);
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const kept = [];
    while (walker.nextNode()) {
        const node = walker.currentNode, was = node.data;
        const text = rules.reduce((text, [found, put]) => text.replace(found, put), spelled(iso(was)));
        if (text !== was) { node.data = text; kept.push([node, was, text]); }
    }
    window.putBack = () => {
        kept.forEach(([node, was, text]) => { if (node.data === text) node.data = was; });
        fields.forEach(([field, value]) => { field.value = value; });
    };
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
        if before is not None:
            page.set_viewport_size(before)
        self.taken.add(name)

    def _keep(self, name: str, png: bytes) -> None:
        path = self._folder / name
        new = _reduced(Image.open(io.BytesIO(png)).convert("RGB"))
        if path.exists() and _is_same(new, path):
            return
        new.save(path, optimize=True, bits=4)
        self.changed.append(name)


def _reduced(picture: Image.Image) -> Image.Image:
    """The same in a palette of few colours."""
    colors = picture.getcolors(picture.width * picture.height)
    counted = sorted(cast("list[tuple[int, tuple[int, int, int]]]", colors), reverse=True)
    flat, rest = counted[:FLAT], counted[FLAT:] or counted
    weighed = [octet for count, color in rest for octet in bytes(color) * round(count**RARE_WEIGHT)]
    sample = Image.frombytes("RGB", (len(weighed) // 3, 1), bytes(weighed))
    shaded = sample.quantize(SHADED, kmeans=3, dither=Image.Dither.NONE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([octet for _, color in flat for octet in color] + shaded[: SHADED * 3])
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


def _is_same(new: Image.Image, path: Path) -> bool:
    with Image.open(path) as kept:
        old = kept.convert("RGB")
    return old.size == new.size and ImageChops.difference(old, new.convert("RGB")).getbbox() is None
