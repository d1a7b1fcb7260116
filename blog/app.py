"""Door: the web application. Every blueprint is listed here; every view says who it is for."""

import traceback
from types import TracebackType

import structlog
from flask import Blueprint, Flask, Response, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.sansio.utils import host_is_trusted

from blog import metrics, revisions, runtime, templating, theme
from blog.bounces import views as bounces
from blog.content.site import cached_site
from blog.delivery import views as inbox
from blog.delivery.mail import flask_config, mail
from blog.digests import views as digests
from blog.errors import BlogError
from blog.settings import Settings, load_settings
from blog.site import (
    cards,
    drawings,
    editions,
    feeds,
    fonts,
    media,
    missing,
    page_globals,
    searching,
    shared,
    shelves,
    sitemap,
)
from blog.site import views as site
from blog.subscribers import account_views as account
from blog.subscribers import api
from blog.subscribers import views as subscribers
from blog.web import addresses, error_pages, guards, headers, interface, page_cache, probes, static_files
from blog.web.context import services
from blog.web.editions import Editions
from blog.web.pieces import Services

LARGEST_BODY = 64 * 1024
MOST_FORM_PARTS = 100

#: The public site first; the demo's own pages are added only in the demo.
BLUEPRINTS = (
    site.blueprint,
    shelves.blueprint,
    searching.blueprint,
    feeds.blueprint,
    sitemap.blueprint,
    drawings.blueprint,
    cards.blueprint,
    fonts.blueprint,
    media.blueprint,
    shared.blueprint,
    subscribers.blueprint,
    account.blueprint,
    api.blueprint,
    digests.blueprint,
    bounces.blueprint,
)
DEMO_BLUEPRINTS = (inbox.blueprint,)

log = structlog.get_logger("blog.web")
health = Blueprint("health", __name__)


class Application(Flask):
    """Flask, but an error's log line holds no address, no token and nothing that a stranger typed."""

    request_class = page_cache.QueryNoticed
    jinja_environment = interface.Environment

    def log_exception(
        self, exc_info: tuple[type, BaseException, TracebackType] | tuple[None, None, None]
    ) -> None:
        kind, _, frames = exc_info
        log.error(
            "request_failed",
            error=kind.__name__ if kind else "unknown",
            endpoint=request.endpoint,
            reference=error_pages.new_reference(),
            places=[f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(frames)],
        )


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application; without `settings` they are read from the environment."""
    settings = settings or load_settings()
    app = Application("blog", template_folder=None, static_folder=None)
    app.jinja_loader = templating.loader(settings.templates_dir)
    built = app.extensions["blog"] = runtime.build(settings)
    _configure(app, settings)
    headers.install(app, settings.site_url.startswith("https://"), settings.shared_cache_seconds)
    addresses.install(app)
    static_files.install(app)
    interface.install(app)
    page_globals.install(app)
    error_pages.install(app, settings.templates_dir)
    missing.install(app)
    mail.init_app(app)
    for blueprint in (health, metrics.blueprint, *BLUEPRINTS, *(DEMO_BLUEPRINTS if settings.demo else ())):
        app.register_blueprint(blueprint)
    guards.refuse_unguarded(app)
    _warn_of_the_accent(settings)
    _keep_pages(app, built)
    return app


def _warn_of_the_accent(settings: Settings) -> None:
    pale = theme.too_pale(cached_site(settings.content_dir).accent)
    if pale:
        log.warning("site.accent_moved", why=pale)


def _configure(app: Flask, settings: Settings) -> None:
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        MAX_FORM_MEMORY_SIZE=LARGEST_BODY,
        MAX_FORM_PARTS=MOST_FORM_PARTS,
        # Looked at when a page is made, which is once per edition: see blog/site/editions.py.
        TEMPLATES_AUTO_RELOAD=True,
        **flask_config(settings),
    )
    if not settings.is_local:
        # On the machine one may ask by the loopback name; no address is ever made from the Host header.
        app.config["TRUSTED_HOSTS"] = [settings.host, "localhost", "127.0.0.1"]
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]


def _keep_pages(app: Flask, built: Services) -> None:
    """Put the page cache in front of everything, so that what it answers never reaches Flask."""
    settings = built.settings
    read = editions.Reader(built.database, settings.content_dir, templating.folders(settings.templates_dir))
    cached = app.extensions["page_cache"] = page_cache.PageCache(
        app.wsgi_app,
        Editions(read, built.database),
        settings.page_cache_mb * 1024 * 1024,
        # The list is looked at when a host first asks: a door may have narrowed it after `create_app`.
        lambda host: not app.config["TRUSTED_HOSTS"] or host_is_trusted(host, app.config["TRUSTED_HOSTS"]),
    )
    app.wsgi_app = probes.Probes(app.wsgi_app, cached)  # type: ignore[method-assign]


@health.get(probes.ALIVE)
@guards.public
def alive() -> Response:
    """Say that the process answers."""
    return _line("ok", 200)


@health.get(probes.READY)
@guards.public
def ready() -> Response:
    """Say whether the site can do its work: the database answers and has what this code needs."""
    try:
        at, wanted = revisions.current(services().database), revisions.head()
    except (SQLAlchemyError, BlogError):
        return _line("the database does not answer", 503)
    if revisions.is_behind(at):
        return _line(
            f"the database is at revision {at or 'none'}, this code needs {wanted}: run `blog db upgrade`",
            503,
        )
    return _line("ready", 200)


def _line(text: str, status: int) -> Response:
    response = Response(text + "\n", status, mimetype="text/plain")
    response.headers["Cache-Control"] = "no-store"
    return response
