"""Sentences of the grid of products; a part of `messages.py`."""

GRID_SENTENCES: dict[str, str] = {
    "grid.categories": "Categories",
    "grid.quick": "Quick keys",
    "grid.loose": "Without barcode",
    "grid.other": "Other",
    "grid.tiles": "Products",
    "grid.pages": "Pages of products",
    "grid.page": "{page} of {pages}",
    "grid.back": "Back",
    "grid.on": "More",
    "grid.empty": (
        "There are no quick keys yet. Head office loads them from a file: "
        "holdfast hq load --home HOME quick-keys FILE."
    ),
    "feed.quick-keys": "Quick keys",
}
