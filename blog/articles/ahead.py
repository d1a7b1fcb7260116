"""Comparing the texts of a first sync in a process of its own, while this one writes them to the database.

It reads them where the renderer keeps them, and leaves the comparison in a file. Where that goes wrong, or
the database turns out to hold others, they are compared later by whoever relates them.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

from blog.articles import remembered
from blog.articles.space import Space, compare
from blog.articles.terms import counted
from blog.content.said import said, store_in
from blog.content.values import ArticleFile, Library

#: For fewer, a process takes longer to begin than it saves.
FEW = 1_000
_TEXTS = "texts.json"


class Ahead:
    """A comparison under way, if there is reason for one; to be used by `with`, which ends it."""

    def __init__(self, library: Library, cache_dir: Path | None, now: datetime) -> None:
        self._files = [item for item in library.articles if _is_related(item, now)]
        self._cache_dir = cache_dir
        self._folder: TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Ahead":
        first = self._cache_dir and not (self._cache_dir / remembered.FILE).exists()
        if first and len(self._files) >= FEW and (os.cpu_count() or 1) > 1:
            with suppress(OSError):  # nowhere to write, or no process to be had: it is done later
                self._begin()
        return self

    def __exit__(self, *_why: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
        if self._folder:
            self._folder.cleanup()

    def _begin(self) -> None:
        self._folder = TemporaryDirectory(prefix="blog-ahead-")
        texts = [(item.body.kept_as, item.title) for item in self._files]
        (Path(self._folder.name) / _TEXTS).write_text(json.dumps(texts))
        # Without the present folder: what lies there is not to be imported.
        command = [sys.executable, "-P", "-m", __name__, str(self._cache_dir), self._folder.name]
        silent = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdin=silent, stdout=silent, stderr=silent)

    def space(self, renderings: Sequence[str]) -> Space | None:
        """Return the comparison of texts that are rendered so, in this order, if it was one of just these."""
        if not (self._process and self._folder) or renderings != [item.fingerprint for item in self._files]:
            return None
        self._process.wait()
        found = remembered.recall(Path(self._folder.name))
        return found.space if found else None


def _is_related(file: ArticleFile, now: datetime) -> bool:
    return file.status == "published" and not (file.expires_at and file.expires_at <= now)


def _compare(cache_dir: Path, folder: Path) -> None:
    store, words = store_in(cache_dir), []
    for name, title in json.loads((folder / _TEXTS).read_text()):
        found = said(store, name)
        if found is None:
            return
        words.append(counted(title, *found))
    space = compare(words)
    words.clear()
    remembered.remember(folder, [], space)


if __name__ == "__main__":
    _compare(Path(sys.argv[1]), Path(sys.argv[2]))
