"""The drawings, the icon and the publisher's colours, made on request from a few lines of code."""

from flask import Blueprint, Response, abort

from blog import clock
from blog.articles import reading
from blog.articles.shown import subjects
from blog.site import fonts, sketch
from blog.site.motifs import STATES
from blog.theme import Theme, theme
from blog.web import headers, page_cache
from blog.web.ahead import given
from blog.web.context import services
from blog.web.guards import public
from blog.web.interface import current_site

#: A drawing changes only with the accent or with this code; an hour is soon enough to see that.
ONE_HOUR = "public, max-age=3600"

blueprint = Blueprint("drawings", __name__)


@blueprint.get("/sketches/<slug>.svg")
@public
def of_article(slug: str) -> Response:
    """Draw the sketch of an article."""
    topic = given(lambda: _subject(slug))
    if topic is None:
        abort(404)
    return _svg(sketch.svg(sketch.draw(slug, topic), _theme()))


@blueprint.get("/sketches/topics/<slug>.svg")
@public
def of_topic(slug: str) -> Response:
    """Draw the sketch of a topic."""
    if slug not in page_cache.once("topics", _topics):
        abort(404)
    return _svg(sketch.svg(sketch.draw(f"topic {slug}", slug), _theme()))


@blueprint.get("/sketches/states/<name>.svg")
@public
def of_state(name: str) -> Response:
    """Draw the sketch for a state of the site."""
    if name not in STATES:
        abort(404)
    return _svg(sketch.svg(sketch.draw_state(name), _theme()))


@blueprint.get("/icon.svg")
@blueprint.get("/favicon.ico")
@public
def icon() -> Response:
    """Draw the site's icon; browsers that ask for the old name are content with an SVG too."""
    return _svg(sketch.icon(_theme()))


@blueprint.get("/theme.css")
@public
def colours() -> Response:
    """Serve the publisher's accent, as moved to be readable, and fonts; pages name its version."""
    site = current_site()
    response = Response(theme(site.accent, fonts.faces(site)).css(), mimetype="text/css")
    response.headers["Cache-Control"] = ONE_HOUR
    return response


def _topics() -> set[str]:
    with services().database.reading() as session:
        used = {topic.slug for topic in reading.topics(session, clock.now())}
    return used | {topic.slug for topic in current_site().topics}


def _subject(slug: str) -> str | None:
    with services().database.reading() as session:
        return subjects(session, [slug], clock.now()).get(slug)


def _theme() -> Theme:
    return theme(current_site().accent)


def _svg(drawing: str) -> Response:
    response = Response(drawing, mimetype="image/svg+xml")
    response.headers["Cache-Control"] = ONE_HOUR
    response.headers["Content-Security-Policy"] = headers.IMAGE_POLICY
    # Feed readers and web mail show the drawings on pages of their own.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
