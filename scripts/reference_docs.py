"""Write the pages of `docs/reference` that are made from the code: `make docs`."""

import sys
from pathlib import Path

from holdfast.core.central.describe import switch_page
from holdfast.core.operations import OPERATIONS
from holdfast.core.operations.describe import document
from holdfast.core.parameters import document as parameters

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
PAGES = {
    REFERENCE / "operations.md": lambda: document(OPERATIONS),
    REFERENCE / "parameters.md": parameters,
    REFERENCE / "switch.md": switch_page,
}


def main() -> int:
    for path, text in PAGES.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text())
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
