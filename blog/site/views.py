"""The pages that readers come for."""

from itertools import groupby

from flask import Blueprint, abort, render_template, request

from blog import clock
from blog.articles import lists, reading, wording
from blog.articles import shown as articles
from blog.articles.lists import Line
from blog.articles.shown import Shown
from blog.site import metadata
from blog.web import page_cache
from blog.web.ahead import given
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
        newest = reading.latest(session, clock.now(), HOME_ITEMS)
    data = metadata.publication(current_site(), services().links)
    return render_template("site/home.html", articles=newest, data=data)


@blueprint.get("/articles/<slug>")
@public
def article(slug: str) -> str:
    """Show an article, then what is related to it, then the sign-up form."""
    shown = given(lambda: _shown(slug))
    if shown is None:
        abort(404)
    found = shown.article
    return render_template(
        "site/article.html",
        article=found,
        related=shown.related,
        place=shown.place,
        data=metadata.article(found, current_site(), services().links, shown.place),
        updated=metadata.was_updated(found),
    )


@blueprint.get("/archive")
@blueprint.get("/archive/page/<int:number>", endpoint="archive_page")
@public
def archive(number: int = 1) -> str:
    """List everything published, by year; beyond a few thousand articles on several pages."""
    with services().database.reading() as session:
        those = page_cache.once("archive", lambda: lists.chosen(session, lists.everything(), clock.now()))
        listed = lists.archive(session, those, number)
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


def _shown(slug: str) -> Shown | None:
    with services().database.reading() as session:
        return articles.shown(session, [slug], current_site(), clock.now()).get(slug)


def _year(article: Line) -> int:
    return wording.year(article.published_at, current_site())
