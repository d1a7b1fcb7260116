"""`blog export`: the site as static files, for nginx, Caddy or a CDN."""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from flask import Flask, Response

from blog import clock
from blog.app import create_app
from blog.articles import former
from blog.cli.opening import json_option, open_services, print_json
from blog.cli.progress import bar
from blog.digests import reading as digests
from blog.errors import BlogError, UsageError
from blog.export import server_config, tree
from blog.export.crawl import Plan, Written, crawl
from blog.export.fetch import fetch
from blog.export.inputs import inputs
from blog.settings import load_settings
from blog.web import headers
from blog.web.guards import Guard

#: An address that holds nothing, for the page that says so.
NOTHING = "/404.html"
#: Somebody may sync while we work; then we begin again, so that no export mixes two editions.
TRIES = 3
#: Whether anything has changed is asked for certain at the end; in between, a look costs as much as a page.
LOOK_SECONDS = 5.0


@click.command("export")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--live-url", default="", help="Where `blog serve` answers forms; default: BLOG_SITE_URL.")
@click.option("--workers", type=click.IntRange(1, 64), default=None, help="Processes; default: all cores.")
@click.option("--without-cards", is_flag=True, help="Leave out the articles' cards, which take long to draw.")
@json_option
def export(folder: Path, live_url: str, workers: int | None, without_cards: bool, as_json: bool) -> None:
    """Write the whole public site into FOLDER as files, each with `.br` and `.gz` beside it.

    The files replace those of an earlier export in one step. Forms go to the live site.
    """
    services = open_services()
    services.database.dispose()
    live = _live(live_url or services.settings.site_url)
    folder = folder.absolute()
    began = time.perf_counter()
    without = ("/cards/",) if without_cards else ()
    with tree.alone(folder, lambda: click.echo(f"Another export beside {folder} comes first.", err=True)):
        report = _export(folder, live, without, workers)
    _say(report | {"seconds": round(time.perf_counter() - began, 2), "folder": str(folder)}, as_json)


def _export(folder: Path, live: str, without: tuple[str, ...], workers: int | None) -> dict[str, object]:
    """Export until nothing has changed meanwhile."""
    noted = tree.manifest(folder)
    for _ in range(TRIES):
        app = _application(live)
        editions, origin = app.extensions["page_cache"].editions, app.extensions["blog"].settings.site_url
        try:
            before = editions.certain()
            made_of = inputs(app, live, before, without)
            if report := _as_it_was(noted, made_of.whole, folder):
                return report
            tree.begin(folder)
            plan = Plan(
                partial(open_app, live),
                origin,
                tree.beside(folder),
                tree.former(folder),
                made_of,
                _known(noted),
                without,
            )
            report = _once(plan, app, workers)
            if editions.certain() is before:
                tree.swap(folder)
                return report
        finally:
            app.extensions["blog"].database.dispose()
    raise BlogError("the content changed again and again while it was exported; try again later")


def _as_it_was(noted: dict[str, Any], mark: str, folder: Path) -> dict[str, object] | None:
    """Return what the former export reported if it left all this, and was made from the same."""
    report = noted.get("report")
    if not mark or noted.get("inputs") != mark or not isinstance(report, dict):
        return None
    return report | {"unchanged": report["files"]} if noted.get("left") == tree.size_of(folder) else None


def _once(plan: Plan, app: Flask, workers: int | None) -> dict[str, object]:
    with bar("Exporting") as told:
        written = crawl(plan, app, _seeds(app), workers, told)
    with app.extensions["blog"].database.reading() as session:
        moved, gone = former.moved(session, clock.now()), former.gone(session, clock.now())
        issues = {f"/digests/{name}": f"/digests/{issue}" for name, issue in digests.named(session).items()}
    written += _errors(app, plan, gone)
    moved |= {page.path: page.target for page in written if page.target}
    # No page names a digest as its mail does; one that has no file yet is for `blog serve` to answer.
    files = {page.path for page in written if page.file}
    moved |= {path: target for path, target in issues.items() if target in files}
    server = plan.root / tree.SERVER
    server.mkdir()
    (server / "http.conf").write_text(server_config.http_context(written, moved, gone), encoding="utf-8")
    (server / "server.conf").write_text(server_config.server_context(written), encoding="utf-8")
    snippets = server_config.caddy_snippets(written, moved, gone)
    (server / "Caddyfile").write_text(snippets, encoding="utf-8")
    (plan.root / "_redirects").write_text(server_config.redirects_file(moved), encoding="utf-8")
    report = _report(written, len(moved), len(gone))
    noted = {"inputs": plan.inputs.whole, "left": tree.size_of(plan.root), "report": report}
    noted["files"] = [vars(page) for page in written if page.file]
    (plan.root / tree.MANIFEST).write_text(json.dumps(noted, ensure_ascii=False), encoding="utf-8")
    return report


def open_app(live: str) -> Flask:
    """Return an application of this process's own, whose forms go to the live site."""
    return _application(live)


def _application(live: str) -> Flask:
    app = create_app(load_settings())
    app.extensions["page_cache"].editions.look_every(LOOK_SECONDS)
    # Nor at the templates: when one has changed, another application begins.
    app.jinja_env.auto_reload = False
    origin = "" if live == app.extensions["blog"].settings.site_url else f" {live}"
    policy = headers.PAGE_POLICY.replace("form-action 'self'", f"form-action 'self'{origin}")

    # Functions called after a request are called last first: this one sees a page before its headers and tag.
    @app.after_request
    def point_forms(response: Response) -> Response:
        if response.mimetype == "text/html" and response.status_code == 200:
            response.set_data(response.get_data().replace(b' action="/', f' action="{live}/'.encode()))
            if origin:
                response.headers["Content-Security-Policy"] = policy
        return response

    return app


def _seeds(app: Flask) -> list[str]:
    """Return the public addresses that have no name in them; everything else is linked from somewhere."""
    views: Mapping[str, object] = app.view_functions
    return sorted(
        rule.rule
        for rule in app.url_map.iter_rules()
        if not rule.arguments
        and "GET" in (rule.methods or ())
        and getattr(views[rule.endpoint], "guard", None) is Guard.PUBLIC
    )


def _errors(app: Flask, plan: Plan, gone: list[str]) -> list[Written]:
    """Write the pages for addresses that hold nothing, and for those whose article is gone."""
    found = []
    for path, file in ((NOTHING, "404.html"), *((path, "410.html") for path in gone[:1])):
        page = fetch(app, path, "", plan.host)
        if plan.former.take_over(plan.root, file, page.content_type, page.body) is None:
            tree.write(plan.root, file, page)
        found.append(Written(f"/{file}", "", page.status, file, page.content_type, page.to_be_told))
    return found


def _known(noted: dict[str, Any]) -> dict[str, Written]:
    found = {}
    with suppress(KeyError, TypeError, ValueError):
        for page in noted["files"]:
            pairs = tuple((name, value) for name, value in page["headers"])
            found[page["path"]] = Written(**page | {"headers": pairs})
    return found


def _report(written: list[Written], moved: int, gone: int) -> dict[str, object]:
    files = [page for page in written if page.file]
    return {
        "pages": sum(page.content_type.startswith("text/html") for page in files),
        "files": len(files),
        "bytes": sum(page.size for page in files),
        "unchanged": sum(page.same for page in files),
        "redirects": moved,
        "gone": gone,
        "missing": sorted(page.path for page in written if page.status in (404, 410) and not page.file),
    }


def _live(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise UsageError(f"--live-url: expected an address such as https://news.example.org, not {address!r}")
    return f"{parts.scheme}://{parts.netloc}"


def _say(report: dict[str, object], as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    missing = report["missing"]
    if isinstance(missing, list):
        for path in missing:
            click.echo(f"linked but not there: {path}", err=True)
    click.echo(
        f"{report['pages']} pages, {report['files']} files in {report['seconds']} s "
        f"({report['unchanged']} unchanged); {report['redirects']} redirects. See docs/serving.md."
    )
