"""Bringing the published index into line with the content files: one transaction, and only what changed.

An article keeps its row, and with it the moment it first went live, however its file is renamed, moved,
re-dated, taken away or brought back: by that row digests know what they have sent.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.orm import Session

from blog.articles import first_names, redirects, search_texts
from blog.articles.caution import refuse_mass_removal
from blog.articles.matching import Known, Matched, match
from blog.articles.models import (
    Article,
    ArticleTopic,
    ContentVersion,
    Page,
)
from blog.content.values import ArticleFile, Library

Pair = tuple[ArticleFile, Known | None]
#: Rows written at once: their texts are in memory together.
BATCH = 100


@dataclass(frozen=True)
class Changes:
    """What a sync did, by slug."""

    added: list[str]
    changed: list[str]
    removed: list[str]
    unchanged: int

    @property
    def present(self) -> int:
        """How many articles there are now."""
        return len(self.added) + len(self.changed) + self.unchanged

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def sync(
    session: Session,
    library: Library,
    now: datetime,
    *,
    force: bool = False,
    searched: search_texts.Made = lambda _rendering: None,
) -> Changes:
    """Store what the library holds; running it again changes nothing. `publishing` relates the articles.

    Without `force`, it refuses to take a great part of the articles away. What of them is `searched` may have
    been made ahead.
    """
    take_turn(session)
    known = _known(session)
    matched = match(known, library.articles, library.failed)
    if not force:
        refuse_mass_removal(known, matched.gone, now)
    _free_addresses(session, known, matched.pairs)
    first_names.keep(session, known, matched.pairs)
    written = _write(session, matched, now, archive=not known)
    first_names.avoid(session)
    _remove(session, matched.gone, now)
    moved = [*_store_old_addresses(session, matched.pairs), *redirects.drop_overtaken(session)]
    paged = _store_pages(session, library)
    search_texts.refresh(session, made=searched)
    changes = _changes(matched)
    if changes or moved or paged:
        gone = [row.id for row in matched.gone]
        _stamp(session, now, [_told(file) for file in written], gone, moved, paged)
    return changes


def edited(library: Library, earlier: Library) -> list[ArticleFile] | None:
    """Return the articles in which alone two libraries differ; None where they differ in more than texts."""
    pairs = list(zip(library.articles, earlier.articles, strict=False))
    alike = len(library.articles) == len(earlier.articles) and all(
        one is other or (one.source, one.slug) == (other.source, other.slug) for one, other in pairs
    )
    if not alike or (library.pages, library.failed) != (earlier.pages, earlier.failed):
        return None
    return [one for one, other in pairs if one is not other and one != other]


def sync_edited(session: Session, files: Sequence[ArticleFile], now: datetime) -> Changes:
    """Store articles that were edited since all were synced; what that costs does not grow with the rest."""
    take_turn(session)
    known = _known(session, [file.source for file in files])
    matched = match(known, list(files), ())
    first_names.keep(session, known, matched.pairs)
    written = _write(session, matched, now)
    moved = _store_old_addresses(session, matched.pairs)
    search_texts.refresh(session, {row.id for _, row in matched.pairs if row})
    changes = _changes(matched)
    if changes or moved:
        _stamp(session, now, [_told(file) for file in written], moved)
    return changes


def _write(session: Session, matched: Matched, now: datetime, *, archive: bool = False) -> list[ArticleFile]:
    """Write the rows that are new or differ from their files; return these files."""
    changed = [(file, row) for file, row in matched.pairs if row and differs(file, row)]
    added = [file for file, row in matched.pairs if row is None]
    _update(session, changed, now)
    _insert(session, added, now, archive)
    files = [file for file, _ in changed] + added
    _store_topics(session, [row.id for _, row in changed], files, _ids(session, files))
    return files


def take_turn(session: Session) -> None:
    """Let one sync at a time go on, and no planning of an issue; SQLite's writers wait anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE content_version IN EXCLUSIVE MODE"))


def _known(session: Session, sources: Collection[str] | None = None) -> list[Known]:
    columns = (
        Article.id,
        Article.slug,
        Article.source,
        Article.content_hash,
        Article.rendered_hash,
        Article.published_at,
        Article.live_at,
        Article.removed_at,
    )
    query = select(*columns).order_by(Article.id)
    if sources is not None:
        query = query.where(Article.source.in_(sources))
    return [Known(*row) for row in session.execute(query)]


def _changes(matched: Matched) -> Changes:
    added = [file.slug for file, row in matched.pairs if row is None or row.removed_at]
    changed = [file.slug for file, row in matched.pairs if row and not row.removed_at and differs(file, row)]
    removed = [row.slug for row in matched.gone]
    unchanged = len(matched.pairs) - len(added) - len(changed)
    return Changes(sorted(added), sorted(changed), sorted(removed), unchanged)


def differs(file: ArticleFile, row: Known) -> bool:
    """Whether a row must be written again: another file or address, or the same file made otherwise."""
    before = (row.source, row.slug, row.rendered_hash, row.removed_at)
    return before != (file.source, file.slug, file.fingerprint, None)


def _free_addresses(session: Session, known: Iterable[Known], pairs: Iterable[Pair]) -> None:
    """Take every address that changes hands from its old row first: two rows may swap theirs."""
    wanted = {file.slug: row.id if row else None for file, row in pairs}
    in_the_way = [row.id for row in known if row.slug in wanted and wanted[row.slug] != row.id]
    if in_the_way:
        session.execute(update(Article), [{"id": number, "slug": f"~{number}"} for number in in_the_way])


def _update(session: Session, changed: Iterable[tuple[ArticleFile, Known]], now: datetime) -> None:
    rows = ({"id": row.id, **_columns(file), **_times(file, row, now)} for file, row in changed)
    for batch in _batches(rows):
        session.execute(update(Article), batch)


def _insert(session: Session, added: Iterable[ArticleFile], now: datetime, archive: bool) -> None:
    rows = ({**_columns(file), **_times(file, None, now, archive)} for file in added)
    for batch in _batches(rows):
        session.connection().execute(insert(Article), batch)


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _remove(session: Session, gone: Iterable[Known], now: datetime) -> None:
    rows = [{"id": row.id, "removed_at": now} for row in gone]
    if rows:
        session.execute(update(Article), rows)


def _columns(file: ArticleFile) -> dict[str, Any]:
    same = (
        *("slug", "source", "content_hash", "status", "title", "description", "excerpt", "authors"),
        *("series", "language", "pinned", "words", "minutes", "updated_at", "expires_at"),
    )
    prose = file.body.read()
    return {
        **{name: getattr(file, name) for name in same},
        **{name: getattr(prose, name) for name in ("html", "text", "contents", "headings")},
        "extra": {**file.extra, "topic_names": file.topic_names},
        "rendered_hash": file.fingerprint,
        "removed_at": None,
    }


def _times(file: ArticleFile, row: Known | None, now: datetime, archive: bool = False) -> dict[str, Any]:
    published_at = row.published_at if row and not file.dated else file.published_at
    return {"published_at": published_at, "live_at": live_at(file, row, now, archive)}


def live_at(file: ArticleFile, row: Known | None, now: datetime, archive: bool) -> datetime | None:
    """Return when an article is first seen by readers here; once that has passed, it never changes.

    An `archive`, the first sync of all, brings old articles, not news: they were live when they say so.
    """
    if row and row.live_at and row.live_at <= now:
        return row.live_at
    if file.status != "published":
        return None
    if archive and file.published_at <= now:
        return file.published_at
    return max(file.published_at, now)


def _store_topics(
    session: Session, changed: Sequence[int], files: Iterable[ArticleFile], ids: dict[str, int]
) -> None:
    if changed:
        session.execute(delete(ArticleTopic).where(ArticleTopic.article_id.in_(changed)))
    rows = [
        {"article_id": ids[file.slug], "topic": topic, "position": position}
        for file in files
        for position, topic in enumerate(file.topics)
    ]
    if rows:
        session.connection().execute(insert(ArticleTopic), rows)


def _ids(session: Session, files: Collection[ArticleFile]) -> dict[str, int]:
    query = select(Article.slug, Article.id).where(Article.removed_at.is_(None))
    if len(files) <= BATCH:
        query = query.where(Article.slug.in_([file.slug for file in files]))
    return dict(session.execute(query).all())


def _store_old_addresses(session: Session, pairs: Iterable[Pair]) -> list[str]:
    former: dict[str, ArticleFile] = {}
    for file, row in pairs:
        moved = [f"/articles/{row.slug}"] if row and row.slug != file.slug and row.slug[0] != "~" else []
        former |= dict.fromkeys([*moved, *file.aliases], file)
    ids = _ids(session, list(former.values()))
    return redirects.store(session, {path: ids[file.slug] for path, file in former.items()})


def _store_pages(session: Session, library: Library) -> list[Any]:
    """Bring the standing pages into line; return what was changed."""
    names = ("slug", "source", "title", "description", "html")
    columns = [getattr(Page, name) for name in names]
    kept = {row[0]: tuple(row) for row in session.execute(select(*columns))}
    wanted = {page.slug: tuple(getattr(page, name) for name in names) for page in library.pages}
    left = {slug for slug, row in kept.items() if row[1] in library.failed}
    stale = [slug for slug, row in kept.items() if wanted.get(slug) != row and slug not in left]
    new = [row for slug, row in wanted.items() if kept.get(slug) != row and slug not in left]
    if stale:
        session.execute(delete(Page).where(Page.slug.in_(stale)))
    if new:
        session.execute(insert(Page), [dict(zip(names, row, strict=True)) for row in new])
    return [*sorted(stale), *new]


def _told(file: ArticleFile) -> tuple[str, str, str]:
    return file.source, file.slug, file.fingerprint


def _stamp(session: Session, now: datetime, *changed: Iterable[Any]) -> None:
    """Give what is published now a version: that of before, and what has changed since.

    So it costs as much as the change; the same files, synced in the same steps, have it on every host.
    """
    kept = session.get(ContentVersion, 1)
    state = hashlib.sha256(f"{kept.version if kept else ''}".encode())
    for part in changed:
        state.update(repr(list(part)).encode())
    session.merge(ContentVersion(id=1, version=state.hexdigest(), related_to="", synced_at=now))
