"""The whole content folder as one value: every article and page rendered, every problem named."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from blog.content import naming, walk
from blog.content.assemble import Desk, article, page, text_of
from blog.content.cores import make_all
from blog.content.defaults import Defaults
from blog.content.manuscripts import Manuscript, Shelved, read_all
from blog.content.markup import RENDER_VERSION, Text
from blog.content.problems import Malformed
from blog.content.redirects import addresses, stubs
from blog.content.references import Shelf
from blog.content.renderings import Kept
from blog.content.site import read_site
from blog.content.values import ArticleFile, Library, PageFile, Problem, Site
from blog.errors import UsageError

#: Told how many are done, of how many.
Progress = Callable[[int, int], None]


def load(
    content_dir: Path, now: datetime, cache_dir: Path | None = None, progress: Progress | None = None
) -> Library:
    """Read everything under the content folder; one bad file never stops the others.

    Renderings are kept in `cache_dir`, if one is given; `progress` is told how many texts of how many that
    had to be rendered are done.
    """
    if not content_dir.is_dir():
        raise UsageError(
            f"BLOG_CONTENT_DIR: there is no folder {content_dir}; name the one with your articles"
        )
    site, problems, zone_known = read_site(content_dir)
    defaults, salt = Defaults(content_dir, ZoneInfo(site.timezone), site_raw_html=site.raw_html), _salt(site)
    shelved = read_all(walk.articles(content_dir), defaults, salt, now)
    pages = read_all(walk.pages(content_dir), defaults, salt, now)
    failed = shelved.failed | pages.failed
    if not zone_known:
        # Published with a guessed zone, an article would appear hours early, and be mailed.
        failed |= {item.source for item in (*shelved.manuscripts, *pages.manuscripts)}
        shelved.manuscripts, pages.manuscripts = [], []
    desk = _desk(shelved, pages, site, content_dir)
    _render(desk, [*_to_read(shelved), *_to_show(pages)], Kept(cache_dir), progress)
    articles, rendered_pages = _articles(shelved, desk), _pages(pages, desk)
    problems += [*defaults.problems, *shelved.problems, *pages.problems, *desk.problems]
    return Library(site, articles, rendered_pages, problems, frozenset(failed | desk.failed))


def _salt(site: Site) -> str:
    """Return what, besides its bytes, decides how a file reads: a change there renders everything again."""
    topics = [(topic.slug, topic.name) for topic in site.topics]
    authors = [(author.slug, author.name) for author in site.authors]
    return repr((RENDER_VERSION, site.timezone, site.language, topics, authors))


def _desk(shelved: Shelved, pages: Shelved, site: Site, content_dir: Path) -> Desk:
    slugs, problems = naming.assign(item for item in shelved.manuscripts if not item.fields.redirect)
    by_address, more = addresses(shelved.manuscripts, slugs)
    problems += more + stubs(shelved.manuscripts, by_address)
    by_page = {item.source: item.wanted_slug for item in pages.manuscripts if item.status == "published"}
    return Desk(site, Shelf(content_dir, slugs, by_address, by_page), problems)


def _to_read(shelved: Shelved) -> list[Manuscript]:
    return [item for item in shelved.manuscripts if not item.fields.redirect]


def _to_show(pages: Shelved) -> list[Manuscript]:
    return [item for item in pages.manuscripts if item.status == "published"]


def _render(desk: Desk, manuscripts: list[Manuscript], kept: Kept, progress: Progress | None) -> None:
    """Render what is not kept from an earlier load as it would be rendered now."""
    waiting: list[Text] = []
    for text in map(text_of, manuscripts):
        made = kept.find(text, desk.shelf)
        if made:
            desk.rendered[text.source] = made.outcome
        else:
            waiting.append(text)
    for number, (text, made) in enumerate(zip(waiting, make_all(waiting, desk.shelf), strict=True), start=1):
        desk.rendered[text.source] = made.outcome
        kept.keep(text, made)
        if progress:
            progress(number, len(waiting))
    kept.drop_unused()


def _articles(shelved: Shelved, desk: Desk) -> list[ArticleFile]:
    found = _to_read(shelved)
    articles = [made for item in found if (made := _tried(desk, item))]
    desk.problems.extend([*_undated(found), *_unknown_keys(found), *_images_elsewhere(desk)])
    return articles


def _tried(desk: Desk, manuscript: Manuscript) -> ArticleFile | None:
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


def _images_elsewhere(desk: Desk) -> list[Problem]:
    if not desk.images_elsewhere:
        return []
    number, files = sum(desk.images_elsewhere.values()), len(desk.images_elsewhere)
    message = f"{number:,} images (in {files:,} files) are on other hosts; they are shown as links"
    hint = "put the image files beside the article: a page must not send its readers' browsers elsewhere"
    return [Problem(next(iter(desk.images_elsewhere)), None, message, hint, notice=True)]
