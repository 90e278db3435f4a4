"""docs/pictures.md: each picture once, at its first size, leading to its other one."""

from collections.abc import Sequence

from scripts.screenshots.listing import DEMO, HEAD_OFFICE, TILL, Picture, files

LEAD = """\
# Pictures

Each page as it is, taken by `make screenshots` from a running chain; a touch on a picture leads to the same
page at 1920×1080. Times, dates, ports and the changing parts of numbers are written as of one day, so that
a picture changes when its page does.
"""


def gallery() -> str:
    """The page's whole text."""
    sections = (("The till", TILL), ("Head office", HEAD_OFFICE), ("The demo", DEMO))
    return "\n".join([LEAD, *(_section(title, pictures) for title, pictures in sections)])


def _section(title: str, pictures: Sequence[Picture]) -> str:
    return "\n".join([f"## {title}", "", *(_entry(picture) for picture in pictures)])


def _entry(picture: Picture) -> str:
    shown, *others = files(picture)
    image = f"![{picture.caption}](img/{shown})"
    return f"{picture.caption}:\n\n{f'[{image}](img/{others[0]})' if others else image}\n"
