"""The feeds of the site, of each topic, author and series, in two forms; and a page that explains them."""

from datetime import datetime

from flask import Blueprint, Response, abort, render_template
from sqlalchemy.orm import Session

from blog import clock
from blog.articles import lists, reading, series, wording
from blog.articles.first_names import named
from blog.articles.lists import Choice
from blog.articles.shown import cards
from blog.content.values import Site
from blog.site import atom, bylines, json_feed
from blog.site.channel import ATOM, JSON, KINDS, Channel, Entry
from blog.web.context import services
from blog.web.guards import public
from blog.web.interface import current_site, gettext

ENTRIES = 20
FORMS = {ATOM: atom.document, JSON: json_feed.document}

blueprint = Blueprint("feeds", __name__)


@blueprint.get("/feed.xml", defaults={"form": ATOM})
@blueprint.get("/feed.json", defaults={"form": JSON})
@public
def everything(form: str) -> Response:
    """Serve the newest articles of the site."""
    site = current_site()
    return _answer(form, site.name, site.description, "/", None)


@blueprint.get("/topics/<slug>/feed.xml", defaults={"form": ATOM})
@blueprint.get("/topics/<slug>/feed.json", defaults={"form": JSON})
@public
def of_topic(slug: str, form: str) -> Response:
    """Serve the newest articles of one topic."""
    site, now = current_site(), clock.now()
    with services().database.reading() as session:
        newest = lists.newest(session, lists.of_topic(slug), now, 1)
    described = {topic.slug: topic.description for topic in site.topics}
    if not newest and slug not in described:
        abort(404)
    name = wording.topic_name(slug, site, newest[0] if newest else None)
    title = f"{name} — {site.name}"
    return _answer(form, title, described.get(slug, ""), f"/topics/{slug}", lists.of_topic(slug))


@blueprint.get("/authors/<slug>/feed.xml", defaults={"form": ATOM})
@blueprint.get("/authors/<slug>/feed.json", defaults={"form": JSON})
@public
def of_author(slug: str, form: str) -> Response:
    """Serve the newest articles of one author."""
    site, found = current_site(), bylines.of(slug)
    if found is None:
        abort(404)
    title = f"{found.author.name} — {site.name}"
    return _answer(form, title, found.author.bio, f"/authors/{slug}", lists.signed_by(found.written))


@blueprint.get("/series/<slug>/feed.xml", defaults={"form": ATOM})
@blueprint.get("/series/<slug>/feed.json", defaults={"form": JSON})
@public
def of_series(slug: str, form: str) -> Response:
    """Serve the newest articles of one series."""
    site = current_site()
    with services().database.reading() as session:
        found = series.find(session, slug, site, clock.now())
    if found is None:
        abort(404)
    title = f"{found.name} — {site.name}"
    return _answer(form, title, found.description, f"/series/{slug}", lists.in_series(found.written))


@blueprint.get("/feeds")
@public
def explained() -> str:
    """Say what a feed is, and list all there are."""
    site, now = current_site(), clock.now()
    people = [(found.author.slug, found.author.name) for found in bylines.everybody()]
    with services().database.reading() as session:
        groups = [
            (gettext("Topics"), "/topics", _topics(session, site, now)),
            (gettext("Authors"), "/authors", people),
            (
                gettext("Series"),
                "/series",
                [(found.slug, found.name) for found in series.all_live(session, site, now)],
            ),
        ]
    return render_template("site/feeds.html", groups=[group for group in groups if group[2]])


def _topics(session: Session, site: Site, now: datetime) -> list[tuple[str, str]]:
    order = {topic.slug: place for place, topic in enumerate(site.topics)}
    used = [topic.slug for topic in reading.topics(session, now)]
    used.sort(key=lambda slug: order.get(slug, len(order)))
    return [(slug, wording.topic_name(slug, site)) for slug in used]


def _answer(form: str, title: str, description: str, page: str, choice: Choice | None) -> Response:
    hub, now = services().settings.websub_hub, clock.now()
    with services().database.reading() as session:
        # Of all articles the newest stand first in an index of their own.
        newest = (
            reading.latest(session, now, ENTRIES)
            if choice is None
            else lists.newest(session, choice, now, ENTRIES)
        )
        under, names = cards(session, newest, now), named(session, newest)
        changed = reading.changed_at(session, now)
    entries = [Entry(article, under[article.id], names[article.id]) for article in newest]
    channel = Channel(title, description, page, entries, current_site(), services().links, hub)
    response = Response(FORMS[form](channel), content_type=f"{KINDS[form]}; charset=utf-8")
    response.last_modified = changed
    if hub:
        response.headers["Link"] = f'<{hub}>; rel="hub", <{channel.address(form)}>; rel="self"'
    return response
