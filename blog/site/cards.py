"""The cards of the articles, drawn once each and kept."""

from flask import Blueprint, Response, abort, request

from blog import clock
from blog.articles import reading
from blog.site import card
from blog.site.drawings import ONE_HOUR
from blog.site.keeping import kept
from blog.web import headers
from blog.web.context import services
from blog.web.guards import public, unkept
from blog.web.interface import current_site

#: Room for some three thousand cards of about 20 KB.
MOST_BYTES = 64 * 1024 * 1024

blueprint = Blueprint("cards", __name__)


@blueprint.get("/cards/<slug>.png")
@public
@unkept
def of_article(slug: str) -> Response:
    """Serve the card of an article; one asked for by its version never changes."""
    with services().database.reading() as session:
        found = reading.article(session, slug, clock.now())
    if found is None:
        abort(404)
    return _answer(card.of_article(found, current_site()))


@blueprint.get(card.SITE_CARD)
@public
def of_site() -> Response:
    """Serve the card of the site, for every page that is no article."""
    return _answer(card.of_site(current_site()))


def _answer(shown: card.Card) -> Response:
    def drawn() -> bytes:
        from blog.site import card_picture  # with it comes Pillow, and most cards are kept

        return card_picture.png(shown)

    path = services().settings.var_dir / "cache" / "cards" / f"{shown.version()}.png"
    response = Response(kept(path, MOST_BYTES, drawn), mimetype="image/png")
    current = request.args.get("v") == shown.short_version()
    response.headers["Cache-Control"] = headers.IMMUTABLE if current else ONE_HOUR
    response.headers["Content-Security-Policy"] = headers.IMAGE_POLICY
    # Other sites show the card where somebody links to the article.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
