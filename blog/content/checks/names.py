"""Topics and authors that `site.toml` does not list, when it lists some: usually a slip of the pen."""

import difflib
import re
from collections.abc import Iterable

from blog.content.checks.pieces import Piece
from blog.content.fields import AUTHORS, TOPICS
from blog.content.keys import squeezed
from blog.content.site import FILE
from blog.content.slugs import slug_for
from blog.content.values import ArticleFile, Problem, Site


def unknown_names(piece: Piece, site: Site) -> list[Problem]:
    """Return the topics and authors of an article that the site does not list."""
    article = piece.article
    if article is None:
        return []
    problems: list[Problem] = []
    if site.topics:
        known = {topic.slug: topic.name for topic in site.topics}
        problems += _unlisted(piece, "topic", TOPICS, _topics(article), known)
    if site.authors:
        known = {slug_for(author.name): author.name for author in site.authors}
        problems += _unlisted(piece, "author", AUTHORS, article.authors, known)
    return problems


def _topics(article: ArticleFile) -> list[str]:
    return [article.topic_names.get(slug, slug) for slug in article.topics]


def _unlisted(
    piece: Piece, kind: str, keys: tuple[str, ...], names: Iterable[str], known: dict[str, str]
) -> list[Problem]:
    listed = {*known, *(slug_for(name) for name in known.values())}
    problems: list[Problem] = []
    for name in names:
        slug = slug_for(name)
        if slug in listed:
            continue
        near = difflib.get_close_matches(slug, sorted(known), n=1)
        question = f"did you mean {known[near[0]]}? If not, " if near else ""
        hint = f"{question}add [[{kind}s]] with this name to {FILE}"
        message = f"the {kind} {name!r} is not listed in {FILE}"
        problems.append(piece.problem(_line(piece, keys, name), message, hint))
    return problems


def _line(piece: Piece, keys: tuple[str, ...], name: str) -> int | None:
    """Return the header line that holds the name, or else the one of the first key that could."""
    header = piece.header
    starts = [line for key, line in header.lines.items() if squeezed(key) in keys]
    if not starts:
        return header.body_line if not header.present else 1
    try:
        rows = (piece.content_dir / piece.source).read_text("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError):
        return min(starts)
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
    first = min(starts)
    head = enumerate(rows[first - 1 : header.body_line - 1], start=first)
    return next((number for number, row in head if word.search(row)), first)
