"""Where the addresses in a text lead: to another article, to a file beside it, or away from the site."""

import posixpath
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from blog.content.slugs import old_path

#: Quarto's and MDX files are Markdown with something more, which is left out.
MARKDOWN = (".md", ".markdown", ".mdown", ".qmd", ".mdx")
#: Folders that other tools serve from the root of the site.
_ROOTS = ("", "static", "public", "assets")


@dataclass(frozen=True)
class File:
    """A file of the content folder as the site serves it; `path` is None when there is no such file."""

    address: str
    path: Path | None


@dataclass(frozen=True)
class Shelf:
    """All that one text can refer to: articles by file and by address, pages by file, and other files."""

    content_dir: Path
    by_source: dict[str, str] = field(default_factory=dict)
    by_address: dict[str, str] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)

    def is_elsewhere(self, address: str) -> bool:
        """Whether an address leaves the site."""
        return _split(address)[0] is None

    def names_a_text(self, address: str) -> bool:
        """Whether an address names a Markdown file, or an article, of this site."""
        path, _ = _split(address)
        return bool(path) and (path or "").lower().endswith(MARKDOWN)

    def article(self, address: str, source: str) -> tuple[str, str] | None:
        """Return the article an address in the file `source` means, as its slug and the part behind `#`."""
        path, fragment = _split(address)
        if not path:
            return None
        if path.lower().endswith(MARKDOWN):
            slug = self._by_file(path, source)
        else:
            slug = self.by_address.get(old_path(path) or "") if path.startswith("/") else None
        return (slug, fragment) if slug else None

    def page(self, address: str, source: str) -> str | None:
        """Return the address of the standing page that a link to its file means."""
        path, fragment = _split(address)
        slug = self.pages.get(_joined(path, source)) if path else None
        return f"/{slug}{fragment}" if slug else None

    def _by_file(self, path: str, source: str) -> str | None:
        if path.startswith("@/"):  # counted from the root of the articles, wherever that is
            ends = f"/{path[2:]}"
            found = [name for name in self.by_source if f"/{name}".endswith(ends)]
            return self.by_source[min(found, key=len)] if found else None
        return self.by_source.get(_joined(path, source))

    def file(self, address: str, source: str) -> File | None:
        """Return the file an address in `source` means; None when it is not a file of this site."""
        path, _ = _split(address)
        if not path or path.startswith("/media/"):
            return None
        if path.startswith("/"):
            names = [posixpath.join(root, path.lstrip("/")) for root in _ROOTS]
        else:
            names = [_joined(path, source)]
        for name in names:
            found = self._inside(name)
            if found:
                return File(f"/media/{quote(name)}", found)
        return File(f"/media/{quote(names[0])}", None) if not names[0].startswith("..") else None

    def _inside(self, name: str) -> Path | None:
        try:
            path = (self.content_dir / name).resolve()
            inside = path.is_relative_to(self.content_dir.resolve()) and path.is_file()
        except (OSError, ValueError):  # a name too long for the system, or one it cannot hold
            return None
        hidden = any(part.startswith(".") for part in Path(name).parts)
        return path if inside and not hidden else None


@lru_cache(10_000)
def _split(address: str) -> tuple[str | None, str]:
    """Return an address's path (None when it leaves the site) and its fragment."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return None, ""
    if parts.scheme or parts.netloc:
        return None, ""
    return unquote(parts.path), f"#{parts.fragment}" if parts.fragment else ""


def _joined(path: str, source: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
