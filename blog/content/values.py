"""What the files hold, as values: articles, pages, the site, and every problem met on the way."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, TypedDict

Status = Literal["published", "draft", "hidden"]


class Entry(TypedDict):
    """One line of an article's table of contents."""

    id: str
    title: str
    level: int


@dataclass(frozen=True)
class Problem:
    """Something a person should mend: where it is, what was found, and what to do.

    A `notice` harms no reader, and may stay as it is.
    """

    file: str
    line: int | None
    message: str
    hint: str
    notice: bool = False

    def plain(self) -> dict[str, Any]:
        """Return what programs are told of it."""
        return {"file": self.file, "line": self.line, "message": self.message, "hint": self.hint}


@dataclass(frozen=True)
class Prose:
    """What is long about a rendered text; `text` is its prose alone: no code blocks, no markup."""

    html: str
    text: str
    contents: list[Entry]
    headings: list[str]


@dataclass(frozen=True)
class Body:
    """The prose of an article, read when it is asked for: thousands of them need not be in memory at once.

    `digest` tells it from every other, so that bodies are compared without being read; `kept_as` is the name
    under which another process finds it.
    """

    digest: str
    read: Callable[[], Prose] = field(compare=False, repr=False)
    kept_as: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class ArticleFile:
    """One article as its file gives it, rendered.

    `dated` is false when the date is only the file's modification time, which must not move an article that
    is already known.
    """

    slug: str
    source: str
    content_hash: str
    status: Status
    title: str
    description: str
    excerpt: str
    body: Body
    authors: list[str]
    series: str | None
    language: str
    pinned: list[str]
    topics: list[str]
    topic_names: dict[str, str]
    words: int
    minutes: int
    published_at: datetime
    updated_at: datetime | None
    expires_at: datetime | None
    aliases: list[str]
    links: list[str]
    extra: dict[str, Any]
    dated: bool = True

    @cached_property
    def fingerprint(self) -> str:
        """The hash of all that readers are told of it; of its own date only where it gives one."""
        said = [(item.name, getattr(self, item.name)) for item in fields(self) if item.name not in _UNSAID]
        dated = self.published_at if self.dated else None
        return hashlib.sha256(repr((said, dated)).encode()).hexdigest()


#: Where an article once was, and which others it names, are no part of what it says itself.
_UNSAID = {"published_at", "aliases", "links", "dated"}


@dataclass(frozen=True)
class PageFile:
    """A standing page, rendered."""

    slug: str
    source: str
    title: str
    description: str
    html: str


@dataclass(frozen=True)
class Topic:
    """A topic readers can follow."""

    slug: str
    name: str
    description: str = ""


@dataclass(frozen=True)
class Author:
    """Somebody who signs articles."""

    slug: str
    name: str
    bio: str = ""
    url: str = ""


@dataclass(frozen=True)
class Site:
    """What `site.toml` says of the publication; every key has a default."""

    name: str = "Newsletter"
    tagline: str = ""
    description: str = ""
    language: str = "en"
    timezone: str = "UTC"
    accent: str = "#2A3BE0"
    raw_html: str = "sanitize"
    logo: str = ""
    #: By what they are for, the names of WOFF2 files; these may be missing, or broken.
    fonts: dict[str, str] = field(default_factory=dict)
    #: Where it says how it treats addresses: a path here, or a whole address.
    privacy: str = ""
    #: Where it was before it moved to another domain: by that, feeds go on calling what they called so.
    first_address: str = ""
    signup_title: str = "Stay Updated"
    signup_pitch: str = "New articles by e-mail, as often as you choose."
    signup_promise: str = "No spam, ever. Unsubscribe at any time."
    navigation: tuple[tuple[str, str], ...] = (
        ("Articles", "/"),
        ("Topics", "/topics"),
        ("Archive", "/archive"),
        ("Subscribe", "/subscribe"),
    )
    topics: tuple[Topic, ...] = ()
    authors: tuple[Author, ...] = ()
    series: tuple[Topic, ...] = ()
    digests: dict[str, Any] = field(default_factory=dict)
    #: What a subscriber may choose from; empty where there is no choice.
    languages: tuple[str, ...] = ()
    #: The language of the publisher's own texts, where this site speaks another one to somebody.
    translated_from: str = ""

    @property
    def written_in(self) -> str:
        """The language of what the publisher has written: names, topics, the navigation."""
        return self.translated_from or self.language

    @property
    def translated_to(self) -> tuple[str, ...]:
        """The languages that a subscriber may choose instead of the site's own."""
        return tuple(tag for tag in self.languages if tag != self.language)

    @cached_property
    def topic_names(self) -> dict[str, str]:
        """What the topics are called, by slug."""
        return {topic.slug: topic.name for topic in self.topics}

    def speaking(self, tag: str) -> "Site":
        """Return the site as it speaks to somebody who chose a language; one not on offer changes nothing."""
        if tag == self.language or tag not in self.languages:
            return self
        return replace(self, language=tag, translated_from=self.written_in)


@dataclass(frozen=True)
class Library:
    """Everything under the content folder.

    `failed` names the sources that could not be read this time: what was published from them stays.
    """

    site: Site
    articles: list[ArticleFile]
    pages: list[PageFile]
    problems: list[Problem]
    failed: frozenset[str] = frozenset()
