"""Bad sectors: pages of a closed database made unreadable, as a disk does it."""

from pathlib import Path

from holdfast.infra.keys import DatabaseKey
from holdfast.infra.sqlite import open_database

PAGE_BYTES = 4096


def leaf_pages(path: Path, key: DatabaseKey, table: str) -> list[int]:
    """The pages that hold a table's rows, in the rows' order."""
    connection = open_database(path, key)
    sql = "select pageno from dbstat where name = ? and pagetype = 'leaf' order by path"
    pages = [row[0] for row in connection.execute(sql, (table,)).fetchall()]
    connection.close()
    assert pages
    return [page for page in pages if isinstance(page, int)]


def damage(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE_BYTES + 200)
        file.write(b"a bad sector")
