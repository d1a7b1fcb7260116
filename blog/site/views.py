"""The pages that readers come for."""

from itertools import groupby

from flask import Blueprint, abort, render_template

from blog import clock
from blog.articles import reading, wording
from blog.articles.models import Article
from blog.content.values import Topic
from blog.site import metadata
from blog.site.page_globals import current_site
from blog.web.context import services
from blog.web.guards import public

HOME_ITEMS = 10

blueprint = Blueprint("site", __name__)


@blueprint.get("/")
@public
def home() -> str:
    """Show the newest articles, the first of them large."""
    with services().database.reading() as session:
        articles = reading.latest(session, clock.now(), HOME_ITEMS)
    return render_template("site/home.html", articles=articles)


@blueprint.get("/articles/<slug>")
@public
def article(slug: str) -> str:
    """Show an article, then what is related to it, then the sign-up form."""
    now = clock.now()
    with services().database.reading() as session:
        found = reading.article(session, slug, now)
        if found is None:
            abort(404)
        related = reading.related(session, found, now)
    data = metadata.article(found, current_site(), services().links)
    updated = metadata.was_updated(found)
    return render_template("site/article.html", article=found, related=related, data=data, updated=updated)


@blueprint.get("/topics")
@public
def topics() -> str:
    """List the topics that have articles, in the publisher's order."""
    with services().database.reading() as session:
        counted = reading.topics(session, clock.now())
    order = [topic.slug for topic in current_site().topics]
    by_place = sorted(
        counted, key=lambda topic: order.index(topic.slug) if topic.slug in order else len(order)
    )
    return render_template(
        "site/topics.html", topics=[(_topic(topic.slug, topic.name), topic) for topic in by_place]
    )


@blueprint.get("/topics/<slug>")
@public
def topic(slug: str) -> str:
    """Show a topic with all its articles, newest first."""
    with services().database.reading() as session:
        articles = reading.in_topic(session, slug, clock.now())
    known = any(topic.slug == slug for topic in current_site().topics)
    if not articles and not known:
        abort(404)
    name = wording.topic_name(slug, current_site(), articles[0] if articles else None)
    return render_template("site/topic.html", topic=_topic(slug, name), articles=articles)


@blueprint.get("/archive")
@public
def archive() -> str:
    """List everything published, by year."""
    with services().database.reading() as session:
        articles = reading.all_live(session, clock.now())
    years = [(year, list(group)) for year, group in groupby(articles, key=_year)]
    return render_template("site/archive.html", years=years, total=len(articles))


@blueprint.get("/<slug>")
@public
def page(slug: str) -> str:
    """Show a standing page; an address of its own always wins over a page of that name."""
    with services().database.reading() as session:
        found = reading.page(session, slug)
    if found is None:
        abort(404)
    return render_template("site/page.html", page=found)


def _topic(slug: str, name: str) -> Topic:
    described = {topic.slug: topic for topic in current_site().topics}
    return described.get(slug) or Topic(slug, name)


def _year(article: Article) -> int:
    return wording.year(article.published_at, current_site())
