"""The whole content folder as one value: every article and page rendered, every problem named."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from blog.content import naming, redirects, walk
from blog.content.assemble import Assembled, Desk, article, page
from blog.content.defaults import Defaults
from blog.content.manuscripts import Manuscript, Shelved, read_again, read_all
from blog.content.markup import RENDER_VERSION, Text
from blog.content.memory import Addresses, Memory, recall, remember
from blog.content.problems import Malformed
from blog.content.references import Shelf
from blog.content.renderings import Kept, Renderings
from blog.content.site import read_site
from blog.content.values import Library, PageFile, Problem, Site
from blog.content.workshop import Progress, Workshop
from blog.errors import UsageError


def load(
    content_dir: Path, now: datetime, cache_dir: Path | None = None, progress: Progress | None = None
) -> Library:
    """Read everything under the content folder; one bad file never stops the others.

    What was read and rendered is kept in `cache_dir`, if one is given; `progress` is told how many texts of
    how many that had to be rendered are done.
    """
    renderings = Renderings(cache_dir)
    library, memory = load_again(content_dir, now, recall(cache_dir), renderings, progress)
    remember(cache_dir, memory)
    renderings.drop_unused({made.name for made in memory.kept.values()})
    return library


def load_again(
    content_dir: Path,
    now: datetime,
    before: Memory,
    renderings: Renderings,
    progress: Progress | None = None,
) -> tuple[Library, Memory]:
    """Read what has changed since an earlier load; return the whole library, and what to remember."""
    read = _read(content_dir, now, before)
    addresses = _addresses(read.articles, read.pages, content_dir, before.addresses)
    same_shelf = addresses is before.addresses
    workshop = Workshop(addresses.shelf, renderings, read.again)
    desk = Desk(read.site, addresses.shelf, workshop.prose, [*read.problems, *addresses.problems], read.failed)
    wanted = [*_to_read(read.articles), *_to_show(read.pages)]
    desk.rendered = workshop.render(wanted, before.kept, progress, same_shelf=same_shelf)
    read.articles.let_go_of_texts()
    usable = same_shelf and before.site == read.site
    assembled = _assembled(read.articles, desk, before.assembled if usable else {})
    pages = _pages(read.pages, desk)
    articles = [item.article for item in assembled.values()]
    library = Library(read.site, articles, pages, desk.problems, frozenset(desk.failed))
    kept = {source: made for source, made in desk.rendered.items() if isinstance(made, Kept)}
    readings = {**read.articles.readings, **read.pages.readings}
    return library, Memory(readings, kept, read.site, addresses, assembled)


@dataclass(frozen=True)
class _Sources:
    """All that was read, nothing of it rendered yet; `again` reads a text once more."""

    site: Site
    articles: Shelved
    pages: Shelved
    problems: list[Problem]
    failed: set[str]
    again: Callable[[Manuscript], Text]


def _read(content_dir: Path, now: datetime, before: Memory) -> _Sources:
    if not content_dir.is_dir():
        raise UsageError(
            f"BLOG_CONTENT_DIR: there is no folder {content_dir}; name the one with your articles"
        )
    site, problems, zone_known = read_site(content_dir)
    defaults, salt = Defaults(content_dir, ZoneInfo(site.timezone), site_raw_html=site.raw_html), _salt(site)
    articles = read_all(walk.articles(content_dir), defaults, salt, now, before.readings)
    pages = read_all(walk.pages(content_dir), defaults, salt, now, before.readings)
    failed = articles.failed | pages.failed
    if not zone_known:
        # Published with a guessed zone, an article would appear hours early, and be mailed.
        failed |= {item.source for item in (*articles.manuscripts, *pages.manuscripts)}
        articles.manuscripts, pages.manuscripts = [], []
    problems += [*defaults.problems, *articles.problems, *pages.problems]
    return _Sources(
        site, articles, pages, problems, failed, partial(read_again, defaults=defaults, salt=salt, now=now)
    )


def _salt(site: Site) -> str:
    """Return what, besides its bytes, decides how a file reads: a change there reads everything again."""
    topics = [(topic.slug, topic.name) for topic in site.topics]
    authors = [(author.slug, author.name) for author in site.authors]
    return repr((RENDER_VERSION, site.timezone, site.language, topics, authors))


def _addresses(shelved: Shelved, pages: Shelved, content_dir: Path, before: Addresses | None) -> Addresses:
    standings = [item.standing for item in (*shelved.manuscripts, *pages.manuscripts)]
    if before and before.standings == standings and before.shelf.content_dir == content_dir:
        return before
    slugs, problems = naming.assign(_to_read(shelved))
    by_address, more = redirects.addresses(shelved.manuscripts, slugs)
    problems += more + redirects.stubs(shelved.manuscripts, by_address)
    by_page = {item.source: item.wanted_slug for item in _to_show(pages)}
    return Addresses(standings, Shelf(content_dir, slugs, by_address, by_page), problems)


def _to_read(shelved: Shelved) -> list[Manuscript]:
    return [item for item in shelved.manuscripts if not item.fields.redirect]


def _to_show(pages: Shelved) -> list[Manuscript]:
    return [item for item in pages.manuscripts if item.status == "published"]


def _assembled(shelved: Shelved, desk: Desk, before: Mapping[str, Assembled]) -> dict[str, Assembled]:
    found = _to_read(shelved)
    assembled: dict[str, Assembled] = {}
    for item in found:
        known = before.get(item.source)
        if known and known.manuscript is item and known.kept is desk.rendered[item.source]:
            assembled[item.source] = known
        elif made := _tried(desk, item):
            assembled[item.source] = made
    desk.problems.extend(problem for made in assembled.values() for problem in made.problems)
    desk.problems.extend([*_undated(found), *_unknown_keys(found), *_images_elsewhere(assembled)])
    return assembled


def _tried(desk: Desk, manuscript: Manuscript) -> Assembled | None:
    try:
        return article(desk, manuscript)
    except Malformed as mistake:
        desk.problems.append(mistake.problem)
        desk.failed.add(manuscript.source)
        return None


def _pages(pages: Shelved, desk: Desk) -> list[PageFile]:
    found: dict[str, PageFile] = {}
    for manuscript in _to_show(pages):
        try:
            made = page(desk, manuscript)
        except Malformed as mistake:
            desk.problems.append(mistake.problem)
            desk.failed.add(manuscript.source)
            continue
        if made.slug in found:
            message = f"{found[made.slug].source} has the address /{made.slug} already"
            line = manuscript.header.line_of("slug", "title")
            desk.problems.append(Problem(made.source, line, message, "set another `slug:` in one of the two"))
        found.setdefault(made.slug, made)
    return list(found.values())


def _undated(manuscripts: list[Manuscript]) -> list[Problem]:
    sources = [item.source for item in manuscripts if not item.dated]
    if not sources:
        return []
    files = "1 file has" if len(sources) == 1 else f"{len(sources):,} files have"
    message = f"{files} no date; the file's modification time is used"
    return [
        Problem(
            sources[0],
            None,
            message,
            "add `date: 2025-05-30` to each, or put it before the file name",
            notice=True,
        )
    ]


def _unknown_keys(manuscripts: list[Manuscript]) -> list[Problem]:
    counted = Counter(key for item in manuscripts for key in item.fields.unknown)
    first: dict[str, Manuscript] = {}
    for item in manuscripts:
        for key in item.fields.unknown:
            first.setdefault(key, item)
    return [
        Problem(
            first[key].source,
            first[key].header.lines.get(key),
            f"the key {key!r} is not known (in {number:,} {'file' if number == 1 else 'files'})",
            "it is kept and changes nothing here; check its spelling, or leave it",
            notice=True,
        )
        for key, number in sorted(counted.items())
    ]


def _images_elsewhere(assembled: dict[str, Assembled]) -> list[Problem]:
    found = {source: made.kept.facts.images_elsewhere for source, made in assembled.items()}
    found = {source: number for source, number in found.items() if number}
    if not found:
        return []
    number, files = sum(found.values()), len(found)
    message = f"{number:,} images (in {files:,} files) are on other hosts; they are shown as links"
    hint = "put the image files beside the article: a page must not send its readers' browsers elsewhere"
    return [Problem(next(iter(found)), None, message, hint, notice=True)]
