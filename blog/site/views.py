"""The pages that readers come for."""

from itertools import groupby

from flask import Blueprint, abort, render_template, request

from blog import clock
from blog.articles import lists, reading, series, wording
from blog.articles.models import Article
from blog.site import metadata
from blog.web.context import services
from blog.web.guards import public
from blog.web.interface import current_site

HOME_ITEMS = 10

blueprint = Blueprint("site", __name__)


@blueprint.get("/")
@public
def home() -> str:
    """Show the newest articles, the first of them large."""
    with services().database.reading() as session:
        articles = reading.latest(session, clock.now(), HOME_ITEMS)
    data = metadata.publication(current_site(), services().links)
    return render_template("site/home.html", articles=articles, data=data)


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
        place = series.place(session, found, current_site(), now)
    return render_template(
        "site/article.html",
        article=found,
        related=related,
        place=place,
        data=metadata.article(found, current_site(), services().links, place),
        updated=metadata.was_updated(found),
    )


@blueprint.get("/archive")
@blueprint.get("/archive/page/<int:number>", endpoint="archive_page")
@public
def archive(number: int = 1) -> str:
    """List everything published, by year; beyond a few thousand articles on several pages."""
    with services().database.reading() as session:
        listed = lists.page(session, lists.everything(), clock.now(), number, lists.ARCHIVE_PAGE)
    if listed is None or (number == 1 and "number" in (request.view_args or {})):
        abort(404)
    years = [(year, list(group)) for year, group in groupby(listed.articles, key=_year)]
    return render_template("site/archive.html", years=years, listed=listed)


@blueprint.get("/<slug>")
@public
def page(slug: str) -> str:
    """Show a standing page; an address of its own always wins over a page of that name."""
    with services().database.reading() as session:
        found = reading.page(session, slug)
    if found is None:
        abort(404)
    return render_template("site/page.html", page=found)


def _year(article: Article) -> int:
    return wording.year(article.published_at, current_site())
