"""Style sheet and scripts of the pages, from the package itself: they work with the network cut."""

import functools
import hashlib
from pathlib import Path

from litestar import Router
from litestar.datastructures import CacheControlHeader
from litestar.static_files import create_static_files_router

FOLDER = Path(__file__).resolve().parent.parent / "static"
_FOR_EVER = CacheControlHeader(public=True, max_age=31_536_000, immutable=True)


def static_router(*folders: Path, path: str = "/static") -> Router:
    """Files of the shared folder, and of a role's own `folders`, below `path`."""
    return create_static_files_router(
        path=path,
        directories=[*folders, FOLDER],
        include_in_schema=False,
        cache_control=_FOR_EVER,
    )


def static_url(name: str, *folders: Path, path: str = "/static") -> str:
    """The URL of a static file with a mark of its content, so that a browser may keep it for ever."""
    return f"{path}/{name}?v={_mark(name, folders)}"


@functools.lru_cache(maxsize=256)
def _mark(name: str, folders: tuple[Path, ...]) -> str:
    for folder in (*folders, FOLDER):
        file = folder / name
        if file.is_file():
            return hashlib.sha256(file.read_bytes()).hexdigest()[:12]
    raise AssertionError(f"{name} is no static file of this package; build it with `pip install -e .`")
