"""`blog sync`, `blog articles`, `blog related`: from files to the published index."""

import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from blog import clock
from blog.articles import reading, sharing, shown
from blog.articles.models import Article
from blog.articles.publishing import publish
from blog.articles.wording import count
from blog.cli.opening import json_option, open_services, print_json
from blog.cli.progress import bar
from blog.content import problems as problem_lines
from blog.errors import BlogError
from blog.web.pieces import Services


@click.command("sync")
@click.option("--force", is_flag=True, help="Go on although many articles would be taken offline.")
@json_option
def sync_command(force: bool, as_json: bool) -> None:
    """Publish what is in the content folder; files with problems are named, the others go on."""
    services = open_services()
    settings = services.settings
    with bar("Rendering") as progress:
        changes, problems = publish(
            services.database,
            settings.content_dir,
            clock.now,
            cache_dir=settings.var_dir / "cache",
            progress=progress,
            force=force,
        )
    if as_json:
        print_json({**asdict(changes), "problems": [problem.plain() for problem in problems]})
        return
    for line in problem_lines.lines(problems):
        click.echo(line, err=True)
    click.echo(
        f"{len(changes.added)} added, {len(changes.changed)} changed, {len(changes.removed)} removed, "
        f"{changes.unchanged} unchanged; {count(len(problems), 'problem', 'problems')}."
    )


@click.group("articles")
def articles() -> None:
    """Look at the published index."""


@articles.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List the articles that readers can see, newest first."""
    services = open_services()
    with services.database.reading() as session:
        rows = [_row(article) for article in reading.all_live(session, clock.now())]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['published_at']:%Y-%m-%d}  {row['slug']}  {row['title']}")
    if not rows:
        click.echo("No articles yet. Put a Markdown file into content/articles and run: blog sync")


@articles.command("share")
@click.argument("slug_or_file")
@click.option(
    "--days", type=click.IntRange(1, sharing.MOST_DAYS), default=sharing.USUAL_DAYS, show_default=True
)
@json_option
def share(slug_or_file: str, days: int, as_json: bool) -> None:
    """Print a link that shows a draft to whoever has it, for some days.

    An article that is scheduled counts as one.
    """
    services, now = open_services(), clock.now()
    with services.database.reading() as session:
        found = sharing.find(session, _source(slug_or_file, services.settings.content_dir))
    if found is None:
        raise BlogError(
            f"{slug_or_file} is not in the index: name a slug, or a file, that blog sync has read"
        )
    if sharing.is_live(found, now):
        link, until = services.links.article(found.slug), None
    else:
        token, until = sharing.token(services.tokens, found, now, days)
        link = services.links.draft(token)
    if as_json:
        print_json({"slug": found.slug, "link": link, "until": until})
        return
    click.echo(link)
    note = f"Works until {until:%Y-%m-%d %H:%M} UTC, as last synced." if until else "It is published already."
    click.echo(note, err=True)


def _source(name: str, content_dir: Path) -> str:
    """Return a file's name as the index has it; anything else stays as it is."""
    path = Path(name).resolve()
    if path.is_dir():
        path = next(path.glob("index.*"), path)
    inside = path.is_file() and path.is_relative_to(content_dir.resolve())
    return path.relative_to(content_dir.resolve()).as_posix() if inside else name


def _row(article: Article) -> dict[str, str | datetime | list[str]]:
    return {
        "slug": article.slug,
        "title": article.title,
        "published_at": article.published_at,
        "topics": [topic.topic for topic in article.topics],
    }


@click.command("related")
@click.argument("slug", required=False)
@click.option("--all", "everything", is_flag=True, help="Print the related articles of every article.")
@json_option
def related(slug: str | None, everything: bool, as_json: bool) -> None:
    """Show which articles are related to SLUG, and why."""
    if bool(slug) == everything:
        raise click.UsageError("name one article, or give --all")
    services = open_services()
    if everything:
        _print_all(services, as_json)
        return
    with services.database.reading() as session:
        article = reading.article(session, slug or "", clock.now())
        if article is None:
            raise BlogError(f"there is no article {slug!r}; see: blog articles list")
        found = shown.cards(session, [article], clock.now(), limit=5)[article.id]
        rows = [
            {"slug": c.article.slug, "title": c.article.title, "kind": c.kind, "reason": c.reason}
            for c in found
        ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['slug']}  ({row['kind']}: {row['reason'] or 'chosen by the author'})")


def _print_all(services: Services, as_json: bool) -> None:
    with services.database.reading() as session:
        found = reading.related_slugs(session, clock.now())
    if as_json:
        print_json(found)
        return
    for slug, others in found.items():
        sys.stdout.write(f"{slug}: {', '.join(others)}\n")
