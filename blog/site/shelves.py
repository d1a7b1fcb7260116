"""Articles gathered by what they are about, by who signs them, and by the series they are part of."""

from flask import Blueprint, abort, render_template, request

from blog import clock
from blog.articles import lists, reading, series, wording
from blog.articles.lists import Choice, Entry, Listed
from blog.content.values import Topic
from blog.site import bylines, metadata
from blog.web import page_cache
from blog.web.context import services
from blog.web.guards import public
from blog.web.interface import current_site

blueprint = Blueprint("shelves", __name__)


@blueprint.get("/topics")
@public
def topics() -> str:
    """List the topics that have articles, in the publisher's order."""
    with services().database.reading() as session:
        counted = reading.topics(session, clock.now())
    order = {topic.slug: place for place, topic in enumerate(current_site().topics)}
    by_place = sorted(counted, key=lambda topic: order.get(topic.slug, len(order)))
    return render_template(
        "site/topics.html", topics=[(_topic(topic.slug, topic.name), topic) for topic in by_place]
    )


@blueprint.get("/topics/<slug>")
@blueprint.get("/topics/<slug>/page/<int:number>", endpoint="topic_page")
@public
def topic(slug: str, number: int = 1) -> str:
    """Show a topic with its articles, newest first."""
    listed = _listed(f"topic {slug}", lists.of_topic(slug), number)
    known = any(topic.slug == slug for topic in current_site().topics)
    if not listed.total and not known:
        abort(404)
    name = wording.topic_name(slug, current_site(), listed.articles[0] if listed.articles else None)
    shown = _topic(slug, name)
    data = metadata.topic(shown, services().links)
    return render_template("site/topic.html", topic=shown, listed=listed, data=data)


@blueprint.get("/authors")
@public
def all_authors() -> str:
    """List everybody who writes here."""
    return render_template("site/authors.html", bylines=bylines.everybody())


@blueprint.get("/authors/<slug>")
@blueprint.get("/authors/<slug>/page/<int:number>", endpoint="author_page")
@public
def author(slug: str, number: int = 1) -> str:
    """Show who an author is, and their articles, newest first."""
    byline = bylines.of(slug)
    if byline is None:
        abort(404)
    listed = _listed(f"author {byline.author.slug}", lists.signed_by(byline.written), number)
    data = metadata.person(byline.author, services().links)
    return render_template("site/author.html", author=byline.author, listed=listed, data=data)


@blueprint.get("/series")
@public
def all_series() -> str:
    """List the series, the latest continued first."""
    with services().database.reading() as session:
        found = series.all_live(session, current_site(), clock.now())
    return render_template("site/all_series.html", all_series=found)


@blueprint.get("/series/<slug>")
@public
def one_series(slug: str) -> str:
    """Show a series, its first part first."""
    now = clock.now()
    with services().database.reading() as session:
        found = series.find(session, slug, current_site(), now)
        parts = series.parts(session, found, now) if found else []
    if found is None:
        abort(404)
    return render_template("site/series.html", series=found, parts=parts)


def _listed(name: str, choice: Choice, number: int) -> Listed[Entry]:
    """Return the page of a list that was asked for; the first has one address, without a number."""
    with services().database.reading() as session:
        # Once for all pages of a list: to find those of one is to find them all.
        those = page_cache.once(name, lambda: lists.chosen(session, choice, clock.now()), unless_empty=True)
        found = lists.page(session, those, number)
    if found is None or (number == 1 and "number" in (request.view_args or {})):
        abort(404)
    return found


def _topic(slug: str, name: str) -> Topic:
    described = {topic.slug: topic for topic in current_site().topics}
    return described.get(slug) or Topic(slug, name)
