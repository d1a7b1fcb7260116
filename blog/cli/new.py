"""`blog new`: begin an article."""

import os
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from blog import clock
from blog.content.drafts import Beginning, begin
from blog.content.site import cached_site
from blog.errors import UsageError
from blog.settings import load_settings


@click.command("new")
@click.argument("title")
@click.option("--topic", "topics", multiple=True, metavar="SLUG", help="A topic; may be given several times.")
@click.option("--author", help="Who signs it: a name, or an author's slug from site.toml.")
@click.option("--bundle", is_flag=True, help="Make a folder for it, with room for its images.")
def new(title: str, topics: tuple[str, ...], author: str | None, bundle: bool) -> None:
    """Begin an article called TITLE: a draft in the content folder, for you to write."""
    content_dir = load_settings().content_dir
    if not content_dir.is_dir():
        raise UsageError(f"BLOG_CONTENT_DIR: there is no folder {content_dir}")
    today = clock.now().astimezone(ZoneInfo(cached_site(content_dir).timezone)).date()
    path = begin(content_dir, Beginning(title, today, topics, author), bundle=bundle)
    shown = os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
    click.echo(f"{shown}\nWrite it, take out the line `draft: true`, and run: blog sync")
