"""Content folders for tests, written by plain functions."""

from pathlib import Path

from blog import clock
from blog.content.library import load
from blog.content.values import ArticleFile, Library


def write(folder: Path, name: str, text: str | bytes) -> Path:
    """Write a file below `folder`."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def loaded(folder: Path) -> Library:
    """Load a content folder now."""
    return load(folder, clock.now())


def by_source(library: Library) -> dict[str, ArticleFile]:
    """Return a library's articles under their sources."""
    return {article.source: article for article in library.articles}


def messages(library: Library) -> list[str]:
    """Return what the library complains about."""
    return [problem.message for problem in library.problems]
