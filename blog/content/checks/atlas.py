"""Every address of the site as the files make it, and what is wrong with one that leads nowhere."""

import difflib
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from blog.content import offers
from blog.content.checks.pieces import Piece
from blog.content.markup import PAGE_IDS
from blog.content.references import Shelf
from blog.content.slugs import old_path, slug_for, slugify, without_date
from blog.content.values import ArticleFile, Library

#: Addresses that are there whatever the files say; a test compares them with the site's routes.
FIXED = {
    *("/", "/archive", "/authors", "/digests", "/feeds", "/search", "/series", "/subscribe", "/topics"),
    *("/feed.xml", "/feed.json", "/robots.txt", "/sitemap.xml", "/llms.txt", "/healthz", "/readyz"),
    *("/card.png", "/opensearch.xml", "/favicon.ico", "/icon.svg", "/theme.css"),
}
#: Addresses with a part that only the running site knows.
_ELSEWHERE_KNOWN = re.compile(
    r"/digests/(?:[a-z]+/)?\d+|/api/v1/.+|/(account|confirm|drafts|move|preferences|restore|unsubscribe)/.+"
    r"|/(static|fonts|sketches|pictures|cards|sitemaps)/.+"
    r"|/archive/page/\d+|/speculation-rules\.json"
)
_SHELF = re.compile(r"(/(?:topics|authors|series)/[^/]+)(?:/feed\.xml|/feed\.json|/page/\d+)?")
_HOST = re.compile(r"(www\.[\w-]+|[\w-]+(\.[\w-]+)*)\.(com|dev|io|net|org)(/|$)", re.IGNORECASE)
_MEND = "mend the address, or take the link away"


@dataclass(frozen=True)
class Fault:
    """What is wrong with a link, behind the words "the link …", and how to mend it."""

    what: str
    hint: str


@dataclass(frozen=True)
class Atlas:
    """All that a link can lead to."""

    shelf: Shelf
    pieces: dict[str, Piece]
    shelves: set[str]
    unreadable: set[str]
    now: datetime
    _near: dict[str, str | None] = field(default_factory=dict)

    def settled(self, address: str, source: str) -> str:
        """Return an address in a file as the page has it."""
        if address.startswith("#") and address[1:] in PAGE_IDS:
            return f"#text-{address[1:]}"
        article = self.shelf.article(address, source)
        if article:
            return f"/articles/{article[0]}{article[1]}"
        page = self.shelf.page(address, source)
        file = None if page or address.startswith(("#", "/")) else self.shelf.file(address, source)
        return page or (file.address if file and file.path else address)

    def fault(self, address: str, piece: Piece) -> Fault | None:
        """Return what is wrong with an address on a page, or None."""
        if not address.strip():
            return Fault("has no address", "write where it leads, or take the link away")
        if self.shelf.is_elsewhere(address):
            return None
        parts = urlsplit(address)
        if not parts.path:
            return None if parts.query else _anchor_fault(piece, parts.fragment)
        if not parts.path.startswith("/") and self.shelf.names_a_text(address):
            return None  # the loader has said so already
        path = old_path(posixpath.join(posixpath.dirname(piece.address), unquote(parts.path))) or "/"
        target = self.pieces.get(path)
        if target is None:
            return None if self._is_there(path) else self._dead(address, path, piece)
        return self._absent(target.article, piece) or _anchor_fault(target, parts.fragment)

    def _is_there(self, path: str) -> bool:
        shelf = _SHELF.fullmatch(path)
        if path in FIXED or path in self.unreadable or _ELSEWHERE_KNOWN.fullmatch(path):
            return True
        if shelf:
            return shelf[1] in self.shelves
        if path.startswith("/media/"):
            file = self.shelf.file(path.removeprefix("/media"), "")
            return file is not None and file.address == path and self._is_offered(path)
        return path in self.shelf.by_address

    def _is_offered(self, path: str) -> bool:
        return offers.offered(self.shelf.content_dir, path.removeprefix("/media/")) is not None

    def _dead(self, address: str, path: str, piece: Piece) -> Fault:
        if _HOST.match(address):
            return Fault("leads nowhere", f"did you mean https://{address}?")
        there = self.shelf.file(path.removeprefix("/media"), "") if path.startswith("/media/") else None
        if there and there.path:
            kinds = " ".join(sorted(ending[1:] for ending in offers.KINDS))
            return Fault("names a file that readers cannot have", f"put it into a bundle; kinds: {kinds}")
        file = self.shelf.file(address, piece.source)
        near = file.address if file and file.path else self._near_to(path)
        return Fault("leads nowhere", f"did you mean {near}?" if near else _MEND)

    def _near_to(self, path: str) -> str | None:
        if path not in self._near:
            same = self._by_letters.get(_letters(path), set())
            close = difflib.get_close_matches(path, self._known, n=1, cutoff=0.8) if not same else []
            self._near[path] = min(same) if len(same) == 1 else next(iter(close), None)
        return self._near[path]

    @cached_property
    def _known(self) -> list[str]:
        return sorted({*self.pieces, *FIXED, *self.shelves})

    @cached_property
    def _by_letters(self) -> dict[str, set[str]]:
        """Each address under the letters of its last part: how old links usually differ is punctuation."""
        found: dict[str, set[str]] = defaultdict(set)
        for path in self._known:
            found[_letters(path)].add(path)
        for path, slug in self.shelf.by_address.items():
            found[_letters(path)].add(f"/articles/{slug}")
        return found

    def _absent(self, target: ArticleFile | None, piece: Piece) -> Fault | None:
        """Return why readers of `piece` cannot read the article it links to."""
        own = piece.article
        if target is None or target is own or (own and own.status == "draft"):
            return None
        if target.status == "draft":
            return Fault("leads to a draft", f"publish {target.source}, or take the link away until then")
        seen_from = max(self.now, own.published_at) if own else self.now
        if target.published_at > seen_from:
            when = f"{target.published_at:%Y-%m-%d %H:%M} UTC"
            return Fault(f"leads to an article that is not there before {when}", "date this text later")
        if target.expires_at and target.expires_at <= self.now:
            return Fault(
                f"leads to an article that expired on {target.expires_at:%Y-%m-%d}", "take the link away"
            )
        return None


def survey(library: Library, pieces: Iterable[Piece], content_dir: Path, now: datetime) -> Atlas:
    """Return the atlas of a library."""
    articles = library.articles
    addresses = {f"/articles/{item.slug}": item.slug for item in articles}
    former = {alias: item.slug for item in articles for alias in item.aliases}
    by_source = {item.source: item.slug for item in articles}
    shelf = Shelf(
        content_dir, by_source, former | addresses, {page.source: page.slug for page in library.pages}
    )
    return Atlas(
        shelf=shelf,
        pieces={piece.address: piece for piece in pieces},
        shelves=_shelves(library),
        unreadable={path for source in library.failed for path in _guesses(source)},
        now=now,
    )


def _shelves(library: Library) -> set[str]:
    """Return the pages on which articles are gathered by topic, author and series."""
    site, published = library.site, [item for item in library.articles if item.status == "published"]
    people = {slug_for(author.name): author.slug for author in site.authors}
    tales = {slug_for(series.name): series.slug for series in site.series}
    signed = {slug_for(name) for item in published for name in item.authors}
    told = {slug_for(item.series) for item in published if item.series}
    topics = {topic for item in published for topic in item.topics} | {topic.slug for topic in site.topics}
    return {
        *(f"/topics/{topic}" for topic in topics),
        *(f"/authors/{slug}" for slug in {people.get(name, name) for name in signed} | {*people.values()}),
        *(f"/series/{slug}" for slug in {tales.get(name, name) for name in told} | {*tales.values()}),
    }


def _guesses(source: str) -> list[str]:
    """Return where a file that cannot be read is probably published: its links are not the mistake."""
    place = PurePosixPath(source)
    stem = place.parent.name if place.stem == "index" else place.stem
    return [f"/articles/{slugify(without_date(stem))}", f"/{slugify(stem)}"]


def _anchor_fault(target: Piece, fragment: str) -> Fault | None:
    name = unquote(fragment).partition(":~:")[0]
    if name in ("", "top") or name in target.ids or fragment in target.ids:
        return None
    if name in PAGE_IDS:  # the page around has it, and its text's own was renamed for that
        own = f"text-{name}" in target.ids
        return (
            Fault(
                f"names a part of the page around: its own section is #text-{name}",
                f"did you mean #text-{name}?",
            )
            if own
            else None
        )
    by_letters = {_squeezed(known): known for known in sorted(target.ids)}
    close = difflib.get_close_matches(name, sorted(target.ids), n=1)
    near = by_letters.get(_squeezed(name)) or next(iter(close), None)
    hint = f"did you mean #{near}?" if near else "name one of its headings, or leave out what follows the #"
    return Fault("names a section that is not there", hint)


def _squeezed(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def _letters(path: str) -> str:
    name = re.sub(r"\.(html?|md)$", "", path.rstrip("/").rpartition("/")[2])
    return slugify(without_date(name)).replace("-", "")
