"""Each page has its pictures, each picture is there at its sizes, and a document shows it."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute
from PIL import Image

from holdfast.hq.web.app import create_app as create_head_office
from holdfast.register.web.app import create_app as create_till
from scripts.screenshots.gallery import gallery
from scripts.screenshots.listing import HEAD_OFFICE, PICTURES, SIZES, TILL, Picture, file_name, files
from tests.conftest import ROOT

IMAGES = ROOT / "docs" / "img"
TEMPLATES = ROOT / "src/holdfast/register/web/templates"
BYTES_MAX = 6_500_000

NO_PAGE = {
    "/events": "a stream",
    "/live": "a stream",
    "/locked": "leads to the page of a locked till",
    "/receipts/{number}/code.svg": "a picture on the receipt",
}
PARTS = {
    "approve.html": "the page without scripts of dialogs/approve.html",
    "base.html": "around every page",
    "frame.html": "around every answer",
    "dialogs/none.html": "empty",
}
"""Templates that are no page, or a part of one that another picture names."""


def pages(app: Litestar) -> Iterator[str]:
    """Paths that are read with GET, without the types of their parameters."""
    for route in app.routes:
        if isinstance(route, HTTPRoute) and "GET" in {
            m for h in route.route_handlers for m in h.http_methods
        }:
            path = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)
            if not path.startswith(("/v1/", "/static", "/schema")) and path not in NO_PAGE:
                yield path


def shown(pictures: tuple[Picture, ...]) -> set[str]:
    return {each for picture in pictures for each in picture.shows}


@pytest.mark.parametrize(("create", "pictures"), [(create_till, TILL), (create_head_office, HEAD_OFFICE)])
def test_each_page_has_a_picture(create: Any, pictures: tuple[Picture, ...]) -> None:
    app = create(cast("Any", SimpleNamespace(tls=None)))
    missing = set(pages(app)) - shown(pictures)
    assert not missing, "take its picture in scripts/screenshots, and list it"


def test_each_work_and_question_of_the_till_has_a_picture() -> None:
    found = {
        str(path.relative_to(TEMPLATES))
        for folder in ("work", "dialogs")
        for path in (TEMPLATES / folder).glob("*.html")
    }
    included = {
        name
        for path in TEMPLATES.rglob("*.html")
        for name in re.findall(r'include "([^"]+)"', path.read_text())
    }
    missing = found - included - shown(TILL) - PARTS.keys()
    assert not missing, "take its picture in scripts/screenshots, and list it"


def test_the_folder_holds_what_is_listed_and_stays_light() -> None:
    listed = {name for picture in PICTURES for name in files(picture)}
    there = {path.name for path in IMAGES.iterdir()}
    assert there == listed, "make screenshots; remove what is no longer listed"
    assert sum(path.stat().st_size for path in IMAGES.iterdir()) < BYTES_MAX
    for picture in PICTURES:
        for size in picture.sizes:
            with Image.open(IMAGES / file_name(picture.name, size[0])) as image:
                assert image.size == size, picture.name


def test_pages_are_taken_at_both_sizes() -> None:
    questions = {picture.name for picture in PICTURES if picture.sizes != SIZES}
    pages_of_one_size = {
        name
        for name in questions
        for picture in PICTURES
        if picture.name == name and not any(each.startswith("dialogs/") for each in picture.shows)
    }
    assert {name for name in pages_of_one_size if not name.startswith("till-tablet")} == set()


def documents() -> Iterator[tuple[Path, str]]:
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        yield path, path.read_text()


def test_each_picture_is_in_the_gallery_and_each_document_finds_its_pictures() -> None:
    assert (ROOT / "docs" / "pictures.md").read_text() == gallery(), "make screenshots writes it"
    for path, text in documents():
        for link in re.findall(r"\]\(([^)]+\.png)\)", text):
            assert (path.parent / link).resolve().is_file(), f"{path.name}: {link}"
