"""The whole content folder as one value: every article and page rendered, every problem named."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from blog.content import naming, redirects, walk
from blog.content.assemble import Assembled, Desk, article, page
from blog.content.cores import Cores
from blog.content.defaults import Defaults
from blog.content.garbage import give_back
from blog.content.manuscripts import How, Manuscript, Shelved, read_all
from blog.content.memory import Addresses, Loaded, Memory, recall, remember
from blog.content.problems import Malformed
from blog.content.progress import Progress
from blog.content.references import Shelf
from blog.content.renderer import RENDER_VERSION
from blog.content.renderings import Kept, Renderings
from blog.content.site import read_site
from blog.content.summaries import summarised
from blog.content.values import Library, PageFile, Problem, Site
from blog.content.workshop import Workshop
from blog.errors import UsageError


def load(
    content_dir: Path,
    now: datetime,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
    begin: Callable[[Library], None] | None = None,
) -> Library:
    """Read everything under the content folder; one bad file never stops the others.

    What was read and rendered is kept in `cache_dir`, if one is given; `progress` is told how many texts of
    how many that had to be rendered are done. What the library lets somebody `begin` goes on meanwhile.
    """
    renderings = Renderings(cache_dir)
    library, memory = load_again(content_dir, now, recall(cache_dir), renderings, progress)
    if begin:
        begin(library)
    give_back()  # the texts, which nobody holds any more
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
    with Cores() as cores:
        return _loaded(content_dir, now, before, renderings, progress, cores)


def _loaded(
    content_dir: Path,
    now: datetime,
    before: Memory,
    renderings: Renderings,
    progress: Progress | None,
    cores: Cores,
) -> tuple[Library, Memory]:
    read = _read(content_dir, now, before, cores)
    last = before.last
    addresses = _addresses(read.articles, read.pages, content_dir, last.addresses if last else None)
    same_shelf = last is not None and addresses is last.addresses
    workshop = Workshop(addresses.shelf, renderings, partial(read.how.read_again, now=now), cores)
    desk = Desk(
        read.site, addresses.shelf, workshop.prose, [*read.problems, *addresses.problems], read.failed
    )
    wanted = [*_to_read(read.articles), *_to_show(read.pages)]
    desk.rendered = workshop.render(wanted, before.kept, progress, same_shelf=same_shelf)
    read.articles.let_go_of_texts()
    usable = last.assembled if last and same_shelf and last.library.site == read.site else {}
    assembled = _assembled(read.articles, desk, usable)
    summaries = summarised(_to_read(read.articles), assembled)
    pages = _pages(read.pages, desk)
    articles = [item.article for item in assembled.values()]
    library = Library(read.site, articles, pages, [*desk.problems, *summaries], frozenset(desk.failed))
    kept = {source: made for source, made in desk.rendered.items() if isinstance(made, Kept)}
    readings = {**read.articles.readings, **read.pages.readings}
    return library, Memory(readings, kept, Loaded(library, read.how, addresses, assembled, summaries))


@dataclass(frozen=True)
class _Sources:
    """All that was read, nothing of it rendered yet."""

    site: Site
    how: How
    articles: Shelved
    pages: Shelved
    problems: list[Problem]
    failed: set[str]


def _read(content_dir: Path, now: datetime, before: Memory, cores: Cores) -> _Sources:
    if not content_dir.is_dir():
        raise UsageError(
            f"BLOG_CONTENT_DIR: there is no folder {content_dir}; name the one with your articles"
        )
    site, problems, zone_known = read_site(content_dir)
    how = How(
        Defaults(content_dir, ZoneInfo(site.timezone), site_raw_html=site.raw_html),
        _salt(site),
        site.language,
    )
    found = walk.articles(content_dir)
    cores.begin(len(found.files) - len(before.readings))
    articles = read_all(found, how, now, before.readings, cores)
    pages = read_all(walk.pages(content_dir), how, now, before.readings)
    failed = articles.failed | pages.failed
    if not zone_known:
        # Published with a guessed zone, an article would appear hours early, and be mailed.
        failed |= {item.source for item in (*articles.manuscripts, *pages.manuscripts)}
        articles.manuscripts, pages.manuscripts = [], []
    problems += [*how.defaults.problems, *articles.problems, *pages.problems]
    return _Sources(site, how, articles, pages, problems, failed)


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
    assembled: dict[str, Assembled] = {}
    for item in _to_read(shelved):
        known = before.get(item.source)
        if known and known.manuscript is item and known.kept is desk.rendered[item.source]:
            assembled[item.source] = known
        elif made := _tried(desk, item):
            assembled[item.source] = made
    desk.problems.extend(problem for made in assembled.values() for problem in made.problems)
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
