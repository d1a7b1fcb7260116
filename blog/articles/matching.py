"""Which row each file belongs to: the same file, a renamed one, or one that came back."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from blog.content.values import ArticleFile


@dataclass(frozen=True)
class Known:
    """What the index remembers of an article, without its text."""

    id: int
    slug: str
    source: str
    content_hash: str
    rendered_hash: str
    published_at: datetime
    live_at: datetime | None
    removed_at: datetime | None


@dataclass(frozen=True)
class Matched:
    """Files with their rows (None for a new article), and the rows whose file is gone."""

    pairs: list[tuple[ArticleFile, Known | None]]
    gone: list[Known]


def match(known: Collection[Known], files: list[ArticleFile], failed: Collection[str]) -> Matched:
    """Match files to rows: by unchanged file, then by content (a rename), by file, and by address.

    Rows whose file could not be read are left alone, and nobody else gets their address meanwhile.
    """
    left_alone = [row for row in known if _has_failed(row.source, failed) and not row.removed_at]
    held = {row.slug for row in left_alone}
    waiting = {file.source for file in files if file.slug in held}
    kept = {row.id for row in (*left_alone, *(row for row in known if row.source in waiting))}
    pool = _Pool(
        [row for row in known if row.id not in kept], [file for file in files if file.source not in waiting]
    )
    pool.take(lambda row: (row.source, row.content_hash), lambda file: (file.source, file.content_hash))
    pool.take(lambda row: row.content_hash, lambda file: file.content_hash, only=pool.moved())
    pool.take(lambda row: row.source, lambda file: file.source)
    pool.take(lambda row: row.slug, lambda file: file.slug)
    pairs = [(file, pool.found.get(file.source)) for file in pool.files]
    return Matched(pairs, [row for row in pool.rows.values() if not row.removed_at])


def _has_failed(source: str, failed: Collection[str]) -> bool:
    folders = (name for name in failed if name.endswith("/"))
    return source in failed or any(source.startswith(folder) for folder in folders)


class _Pool:
    """Rows and files that have not found each other yet; published rows go before removed ones."""

    def __init__(self, rows: Iterable[Known], files: list[ArticleFile]) -> None:
        ordered = sorted(rows, key=lambda row: (row.removed_at is not None, row.source, row.id))
        self.rows = {row.id: row for row in ordered}
        self.files = files
        self.found: dict[str, Known] = {}
        self._hashes = {file.source: file.content_hash for file in files}

    def take(
        self,
        row_key: Callable[[Known], object],
        file_key: Callable[[ArticleFile], object],
        only: Callable[[Known], bool] = lambda _: True,
    ) -> None:
        """Match what is left where both keys agree."""
        waiting: dict[object, list[Known]] = defaultdict(list)
        for row in self.rows.values():
            if only(row):
                waiting[row_key(row)].append(row)
        for file in self._left():
            candidates = waiting.get(file_key(file))
            if candidates:
                row = candidates.pop(0)
                self.found[file.source] = row
                del self.rows[row.id]

    def moved(self) -> Callable[[Known], bool]:
        """Return whether a row's file is gone, or has the text of another article in it by now.

        A file that was copied and then edited has not moved: the copy is a new article.
        """
        texts = {row.content_hash for row in self.rows.values()} | {None}
        return lambda row: self._hashes.get(row.source) in texts

    def _left(self) -> Iterator[ArticleFile]:
        return (file for file in self.files if file.source not in self.found)
