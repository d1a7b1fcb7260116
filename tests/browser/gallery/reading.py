"""What readers come for: articles and lists, feeds, search, digests, drafts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from blog.articles import sharing
from blog.articles.models import ArticleStatus
from blog.digests import correction, dispatch
from blog.digests.dispatch import Office
from blog.subscribers.models import Cadence
from blog.web.pieces import Services
from tests.browser.gallery.picture import Picture
from tests.factories import make_article

FRIDAY = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
#: Days that nobody who runs these tests will see pass.
SOON, LATER = datetime(2096, 11, 16, tzinfo=UTC), datetime(2096, 11, 20, 9, 30, tzinfo=UTC)
#: A topic of its own for the pages that need more articles than the sample has.
MANY = 45


def write_many(content: Path) -> None:
    """Write as many articles as fill several pages of a list and of a search."""
    for number in range(MANY):
        day = datetime(2019, 1, 1, tzinfo=UTC) + timedelta(days=number)
        head = f'title: "Old note {number}"\ndate: {day:%Y-%m-%d}\ntags: [many]\nauthor: Mara Lindqvist\n'
        head += "updated: 2026-06-01\n" * (number == 1)
        about = f"description: What Old note {number} is about.\n"
        text = f"---\n{head}{about}---\n\nThe body of Old note {number}.\n"
        (content / "articles" / f"old-note-{number}.md").write_text(text, encoding="utf-8")


def standing() -> list[Picture]:
    """Return what the sample publication shows to everybody."""
    return [
        Picture("home", "/"),
        Picture("article-in-a-series", "/articles/back-pressure-is-good-manners"),
        Picture("article", "/articles/backend-2-0-systems-thinking-first"),
        Picture("article-updated", "/articles/old-note-1"),
        Picture("topics", "/topics"),
        Picture("topic", "/topics/security"),
        Picture("topic-first-page", "/topics/many"),
        Picture("topic-second-page", "/topics/many/page/2"),
        Picture("all-series", "/series"),
        Picture("series", "/series/the-quiet-queue"),
        Picture("authors", "/authors"),
        Picture("author", "/authors/nkem-sorrell"),
        Picture("author-second-page", "/authors/mara-lindqvist/page/2"),
        Picture("archive", "/archive"),
        Picture("search", "/search?q=queue"),
        Picture("search-second-page", "/search?q=%22old+note%22&page=2"),
        Picture("search-past-the-end", "/search?q=queue&page=9"),
        Picture("search-empty", "/search"),
        Picture("search-nothing", "/search?q=bakpressure"),
        Picture("feeds", "/feeds"),
        Picture("page", "/about"),
        Picture("subscribe", "/subscribe"),
        Picture("subscribe-mistyped", "/subscribe", "Subscribe", "ada@"),
        Picture("subscribe-sent", "/subscribe", "Subscribe", "new@example.org"),
        Picture("missing", "/articles/backend-2"),
        Picture("missing-and-nothing-like-it", "/articles/zzyzx"),
    ]


def of_issues(services: Services) -> list[Picture]:
    """Send two digests, correct the first of them, and return what is to be seen of both."""
    office = Office(services.database, services.settings, services.links, services.site())
    first = dispatch.run(office, Cadence.WEEKLY, FRIDAY - timedelta(days=7)).issue
    last = dispatch.run(office, Cadence.WEEKLY, FRIDAY).issue
    assert first
    assert last
    note = "The second article was named with the date of the first one."
    correction.correct(office, first, note, FRIDAY - timedelta(days=6))
    return [
        Picture("digests", "/digests"),
        Picture("digest", f"/digests/{last}"),
        Picture("digest-corrected", f"/digests/{first}"),
    ]


def of_articles(services: Services) -> list[Picture]:
    """Return an article before its time and after it."""
    tokens = services.tokens
    with services.database.transaction() as session:
        draft = make_article(session, "an-unfinished-note", published_at=FRIDAY, status=ArticleStatus.DRAFT)
        waiting = make_article(session, "a-note-for-later", published_at=SOON)
        removed = make_article(session, "a-note-taken-back", status=ArticleStatus.DRAFT, removed_at=FRIDAY)
        make_article(session, "back-pressure-is-bad-manners", published_at=FRIDAY, removed_at=FRIDAY)
        links = {
            "draft": sharing.token(tokens, draft, LATER, 0)[0],
            "draft-scheduled": sharing.token(tokens, waiting, LATER, 0)[0],
            "draft-over": sharing.token(tokens, draft, FRIDAY, 0)[0],
            "draft-removed": sharing.token(tokens, removed, LATER, 0)[0],
            "draft-broken": "broken",
        }
    drafts = [Picture(name, f"/drafts/{token}") for name, token in links.items()]
    return [*drafts, Picture("withdrawn", "/articles/back-pressure-is-bad-manners")]
