"""A new article begun: a draft with the header filled in as far as that can be known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml

from blog.content import walk
from blog.content.fields import LONGEST_TITLE
from blog.content.headers import parse_yaml
from blog.content.keys import joined
from blog.content.problems import Malformed
from blog.content.slugs import slug_for
from blog.errors import BlogError, UsageError

#: File names that do not make an article; in a folder of that name they do.
_TAKEN = {"index", "readme"}


@dataclass(frozen=True)
class Beginning:
    """What is known of an article before it is written."""

    title: str
    day: date
    topics: Sequence[str] = ()
    author: str | None = None


def begin(content_dir: Path, beginning: Beginning, *, bundle: bool = False) -> Path:
    """Write a new draft, never over another file, and return where it is."""
    title = joined(beginning.title)
    if not title or len(title) > LONGEST_TITLE:
        raise UsageError(f"an article needs a title, of at most {LONGEST_TITLE} characters")
    slug, folder = slug_for(title), _folder(content_dir)
    alone, bundled = folder / f"{slug}.md", folder / slug / "index.md"
    for path in (alone, bundled):
        if path.exists():
            raise BlogError(f"there is {path} already; choose another title, or edit that file")
    path = bundled if bundle or slug in _TAKEN else alone
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(_header(title, beginning))
    except OSError as error:
        raise BlogError(f"{path} cannot be written: {error.strerror}") from None
    return path


def _folder(content_dir: Path) -> Path:
    """Return where articles lie; beside those of a site without a folder `articles`, one would hide them."""
    articles = content_dir / walk.ARTICLES
    return content_dir if not articles.is_dir() and walk.articles(content_dir).files else articles


def _header(title: str, beginning: Beginning) -> str:
    topics = ", ".join(map(_scalar, beginning.topics))
    lines = [
        f"title: {_scalar(title)}",
        f"date: {beginning.day.isoformat()}",
        "draft: true",
        "description: # one or two sentences that make somebody want to read it",
        f"topics: [{topics}]" if topics else "# topics: [one, another]",
        *([f"author: {_scalar(beginning.author)}"] if beginning.author else []),
    ]
    return "\n".join(["---", *lines, "---", "", ""])


def _scalar(text: str) -> str:
    """Return a text as YAML: plain where it stays the same, in quotes otherwise."""
    try:
        same = parse_yaml(f"a: {text}\nb: [{text}]", "") == ({"a": text, "b": [text]}, [])
    except Malformed:
        same = False
    return text if same else yaml.safe_dump(text, default_style='"', allow_unicode=True, width=1e6).strip()
